//! The JetStream flags of `nkey edit account` (nsc `cmd/editaccount.go`, `applyLimits`).

use crate::error::Error;
use crate::input::{boolean, size};
use nkey_core::claims::owned::{JetStreamLimits, OperatorLimits};

/// JetStream limits, of all replicas together or of one tier.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "JetStream")]
pub struct JetStreamFlags {
    /// The tier that the other flags are about: R1 is 1, R3 is 3; 0 is all replicas together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=99))]
    js_tier: Option<u16>,
    /// Remove the limits of a tier; 0 is all replicas together
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=99),
        conflicts_with_all = ["js_tier", "js_mem_storage", "js_disk_storage", "js_streams", "js_consumer",
            "js_max_mem_stream", "js_max_disk_stream", "js_max_bytes_required", "js_max_ack_pending",
            "js_enable", "js_disable"]
    )]
    rm_js_tier: Option<u16>,
    /// Enable JetStream without limits for a tier; 0 is all replicas together
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=99),
        conflicts_with_all = ["js_tier", "js_mem_storage", "js_disk_storage", "js_streams", "js_consumer",
            "js_max_mem_stream", "js_max_disk_stream", "js_max_bytes_required", "js_max_ack_pending",
            "js_disable"]
    )]
    js_enable: Option<u16>,
    /// Disable JetStream: remove all its limits, those of tiers as well
    #[arg(
        long,
        conflicts_with_all = ["js_tier", "js_mem_storage", "js_disk_storage", "js_streams", "js_consumer",
            "js_max_mem_stream", "js_max_disk_stream", "js_max_bytes_required", "js_max_ack_pending"]
    )]
    js_disable: bool,
    /// Most bytes in memory, such as 64MiB; -1 is unlimited, 0 disabled
    #[arg(long, alias = "mem-storage", value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    js_mem_storage: Option<i64>,
    /// Most bytes on disk, such as 10G; -1 is unlimited, 0 disabled
    #[arg(long, alias = "disk-storage", value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    js_disk_storage: Option<i64>,
    /// Most streams; -1 is unlimited
    #[arg(long, alias = "streams", value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    js_streams: Option<i64>,
    /// Most consumers; -1 is unlimited
    #[arg(long, alias = "consumer", value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    js_consumer: Option<i64>,
    /// Most bytes of one stream in memory; -1 is unlimited
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    js_max_mem_stream: Option<i64>,
    /// Most bytes of one stream on disk; -1 is unlimited
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    js_max_disk_stream: Option<i64>,
    /// Every stream must state its most bytes
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    js_max_bytes_required: Option<bool>,
    /// Most acknowledgements that a consumer may owe; -1 is unlimited
    #[arg(long, value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    js_max_ack_pending: Option<i64>,
}

/// JetStream without limits on what is not asked for, and off until storage is given.
const UNLIMITED: JetStreamLimits = JetStreamLimits {
    mem_storage: 0,
    disk_storage: 0,
    streams: -1,
    consumer: -1,
    max_ack_pending: -1,
    mem_max_stream_bytes: -1,
    disk_max_stream_bytes: -1,
    max_bytes_required: false,
};

fn tier_name(tier: u16) -> String {
    format!("R{tier}")
}

impl JetStreamFlags {
    /// Whether one of the flags was given.
    pub fn is_given(&self) -> bool {
        *self != JetStreamFlags::default()
    }

    fn sets(&self) -> bool {
        let others = JetStreamFlags {
            rm_js_tier: self.rm_js_tier,
            js_enable: self.js_enable,
            js_disable: self.js_disable,
            ..JetStreamFlags::default()
        };
        *self != others
    }

    /// Changes the limits.
    ///
    /// # Errors
    /// Exit 2 if limits with and without tiers would stand together, or the tier is not there.
    pub fn apply(&self, limits: &mut OperatorLimits) -> Result<(), Error> {
        let none = JetStreamLimits::default();
        if !limits.tiered_limits.is_empty() {
            // With tiers Go reads these as nothing; they must not come back with the last tier.
            limits.jetstream = none;
        }
        if self.js_disable {
            limits.jetstream = none;
            limits.tiered_limits.clear();
        } else if let Some(tier) = self.rm_js_tier {
            if tier == 0 {
                limits.jetstream = none;
            } else if limits.tiered_limits.remove(&tier_name(tier)).is_none() {
                return Err(Error::usage(format!(
                    "--rm-js-tier {tier}: the account has no limits for {}",
                    tier_name(tier)
                )));
            }
        } else if let Some(tier) = self.js_enable {
            let target = self.target(limits, tier, "--js-enable")?;
            if *target != none && (target.mem_storage != 0 || target.disk_storage != 0) {
                return Err(Error::usage(format!(
                    "--js-enable {tier}: JetStream is enabled for it already"
                )));
            }
            *target = JetStreamLimits {
                mem_storage: -1,
                disk_storage: -1,
                ..none
            };
        } else if self.sets() {
            let target = self.target(limits, self.js_tier.unwrap_or(0), "--js-tier")?;
            self.set(target);
        }
        Ok(())
    }

    fn target<'l>(
        &self,
        limits: &'l mut OperatorLimits,
        tier: u16,
        flag: &str,
    ) -> Result<&'l mut JetStreamLimits, Error> {
        if tier == 0 {
            if !limits.tiered_limits.is_empty() {
                let tiers: Vec<&str> = limits.tiered_limits.keys().map(String::as_str).collect();
                return Err(Error::usage(format!(
                    "the account has limits for {}, so none for all replicas together: name a tier by {flag}, or remove them by --js-disable",
                    tiers.join(", ")
                )));
            }
            return Ok(&mut limits.jetstream);
        }
        if limits.jetstream.mem_storage != 0 || limits.jetstream.disk_storage != 0 {
            return Err(Error::usage(format!(
                "{flag} {tier}: the account has limits for all replicas together: remove them first by --rm-js-tier 0"
            )));
        }
        limits.jetstream = JetStreamLimits::default();
        Ok(limits.tiered_limits.entry(tier_name(tier)).or_default())
    }

    fn set(&self, target: &mut JetStreamLimits) {
        if *target == JetStreamLimits::default() {
            *target = UNLIMITED;
        }
        for (limit, flag) in [
            (&mut target.mem_storage, self.js_mem_storage),
            (&mut target.disk_storage, self.js_disk_storage),
            (&mut target.streams, self.js_streams),
            (&mut target.consumer, self.js_consumer),
            (&mut target.mem_max_stream_bytes, self.js_max_mem_stream),
            (&mut target.disk_max_stream_bytes, self.js_max_disk_stream),
            (&mut target.max_ack_pending, self.js_max_ack_pending),
        ] {
            *limit = flag.unwrap_or(*limit);
        }
        if let Some(required) = self.js_max_bytes_required {
            target.max_bytes_required = required;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        flags: JetStreamFlags,
    }

    fn apply(limits: &mut OperatorLimits, arguments: &str) -> Result<(), Error> {
        let all = std::iter::once("x").chain(arguments.split_whitespace());
        let command = Command::try_parse_from(all).map_err(Error::Arguments)?;
        command.flags.apply(limits)
    }

    #[test]
    fn limits_are_set_for_all_replicas_or_for_tiers_never_both() {
        let mut limits = OperatorLimits::default();
        apply(&mut limits, "--js-disk-storage 10G --js-streams 5").unwrap();
        let wanted = JetStreamLimits {
            disk_storage: 10_000_000_000,
            streams: 5,
            ..UNLIMITED
        };
        assert_eq!(limits.jetstream, wanted);
        apply(&mut limits, "--js-max-bytes-required --js-mem-storage=-1").unwrap();
        assert!(limits.jetstream.max_bytes_required && limits.jetstream.streams == 5);
        apply(&mut limits, "--js-tier 1 --js-streams 5").unwrap_err();
        apply(&mut limits, "--js-enable 0").unwrap_err();
        apply(&mut limits, "--rm-js-tier 0").unwrap();
        assert_eq!(limits, OperatorLimits::default());
        apply(&mut limits, "--js-tier 1 --disk-storage 1k").unwrap();
        apply(&mut limits, "--js-enable 3").unwrap();
        let tiers: Vec<&str> = limits.tiered_limits.keys().map(String::as_str).collect();
        assert_eq!(tiers, ["R1", "R3"]);
        assert_eq!(limits.tiered_limits["R3"].disk_storage, -1);
        apply(&mut limits, "--js-streams 1").unwrap_err();
        apply(&mut limits, "--rm-js-tier 2").unwrap_err();
        apply(&mut limits, "--rm-js-tier 1").unwrap();
        apply(&mut limits, "--js-disable").unwrap();
        assert_eq!(limits, OperatorLimits::default());
        for both in [
            "--js-disable --js-streams 1",
            "--js-enable 1 --js-streams 1",
            "--rm-js-tier 1 --js-tier 1",
        ] {
            assert_eq!(apply(&mut limits, both).unwrap_err().code(), 2, "{both}");
        }
    }
}
