//! The flags that `edit user` and `edit signing-key` share (nsc `cmd/edituser.go`,
//! `UserPermissionLimits`).

use super::permissions::{PermissionFlags, RemovePermissionFlags};
use super::time::is_zone;
use super::{boolean, list, size};
use crate::error::Error;
use crate::output::{Output, clean_inline};
use nkey_core::claims::owned::{Permissions, TimeRange, UserLimits};

/// How users connect; `jwt.ConnectionType…`.
const CONNECTION_TYPES: [&str; 7] = [
    "STANDARD",
    "WEBSOCKET",
    "LEAFNODE",
    "LEAFNODE_WS",
    "MQTT",
    "MQTT_WS",
    "IN_PROCESS",
];

/// What a user may do, from where, when and how.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct UserFlags {
    #[command(flatten)]
    permissions: PermissionFlags,
    #[command(flatten)]
    remove: RemovePermissionFlags,
    /// Connect without signing the server's nonce: whoever has the token is the user
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    bearer: Option<bool>,
    /// Most subscriptions; -1 is unlimited
    #[arg(long, value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    pub subs: Option<i64>,
    /// Most bytes, such as 10G or 64KiB; -1 is unlimited
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    pub data: Option<i64>,
    /// Largest message in bytes; -1 is unlimited
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    pub payload: Option<i64>,
    /// Allow connections of these types: standard, websocket, leafnode, leafnode_ws, mqtt, mqtt_ws, in_process
    #[arg(long, value_name = "TYPE,...")]
    conn_type: Vec<String>,
    /// Remove connection types
    #[arg(long, value_name = "TYPE,...")]
    rm_conn_type: Vec<String>,
    /// Add networks to connect from, in CIDR form
    #[arg(long, value_name = "CIDR,...")]
    source_network: Vec<String>,
    /// Remove networks
    #[arg(long, value_name = "CIDR,...")]
    rm_source_network: Vec<String>,
    /// Add a span of the day to connect in, such as 08:00:00-17:30:00
    #[arg(long, value_name = "START-END", value_parser = span)]
    time: Vec<(String, String)>,
    /// Remove spans by their start, such as 08:00:00
    #[arg(long, value_name = "START,...")]
    rm_time: Vec<String>,
    /// The time zone of the spans, such as Europe/Zurich
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    locale: Option<String>,
}

/// The parts that users and the templates of scopes have alike.
pub struct Parts<'p> {
    /// Subjects.
    pub permissions: &'p mut Permissions,
    /// Where from and when.
    pub user: &'p mut UserLimits,
    /// Whether the nonce is not signed.
    pub bearer: &'p mut bool,
    /// How.
    pub connection_types: &'p mut Vec<String>,
}

impl UserFlags {
    /// Whether one of the flags was given.
    pub fn is_given(&self) -> bool {
        let lists = [
            &self.conn_type,
            &self.rm_conn_type,
            &self.source_network,
            &self.rm_source_network,
            &self.rm_time,
        ];
        self.permissions.is_given()
            || self.remove.is_given()
            || self.bearer.is_some()
            || self.limits_given()
            || !self.time.is_empty()
            || self.locale.is_some()
            || lists.iter().any(|list| !list.is_empty())
    }

    fn limits_given(&self) -> bool {
        self.subs.is_some() || self.data.is_some() || self.payload.is_some()
    }

    /// Whether users are made bearers.
    pub fn makes_bearer(&self) -> bool {
        self.bearer == Some(true)
    }

    /// Changes everything but the limits on subscriptions and sizes.
    ///
    /// # Errors
    /// Exit 2 names the flag and the value.
    pub fn apply(&self, parts: &mut Parts<'_>, out: &mut Output) -> Result<(), Error> {
        self.permissions.apply(parts.permissions)?;
        self.remove.apply(parts.permissions, out)?;
        if let Some(bearer) = self.bearer {
            *parts.bearer = bearer;
        }
        let types = &mut *parts.connection_types;
        for known in types.iter_mut() {
            *known = known.to_uppercase();
        }
        list::add(types, connection_types("--conn-type", &self.conn_type)?);
        let removed = connection_types("--rm-conn-type", &self.rm_conn_type)?;
        list::remove(types, "--rm-conn-type", &removed, out);
        let networks = &mut parts.user.src;
        list::add(
            networks,
            list::tags_of("--source-network", &self.source_network)?,
        );
        let removed = list::tags_of("--rm-source-network", &self.rm_source_network)?;
        list::remove(networks, "--rm-source-network", &removed, out);
        networks.sort();
        if let Some(zone) = &self.locale {
            parts.user.times_location.clone_from(zone);
        }
        let times = &mut parts.user.times;
        times.extend(self.time.iter().map(|(start, end)| TimeRange {
            start: start.clone(),
            end: end.clone(),
        }));
        for start in list::of("--rm-time", &self.rm_time)? {
            match times.iter().position(|span| span.start == start) {
                Some(at) => drop(times.remove(at)),
                None => list::note_absent(out, "--rm-time", &start),
            }
        }
        Ok(())
    }
}

fn connection_types(flag: &str, values: &[String]) -> Result<Vec<String>, Error> {
    let types = list::of(flag, values)?;
    types
        .into_iter()
        .map(|text| {
            let upper = text.to_uppercase();
            if CONNECTION_TYPES.contains(&upper.as_str()) {
                return Ok(upper);
            }
            Err(Error::usage(format!(
                "{flag} {}: there is no such type of connection; there are: {}",
                clean_inline(&text),
                CONNECTION_TYPES.join(", ").to_lowercase()
            )))
        })
        .collect()
}

fn span(text: &str) -> Result<(String, String), String> {
    let wrong = || format!("\"{text}\" is no span of the day: write it as 08:00:00-17:30:00");
    let (start, end) = text.split_once('-').ok_or_else(wrong)?;
    if is_clock(start) && is_clock(end) {
        Ok((start.to_owned(), end.to_owned()))
    } else {
        Err(wrong())
    }
}

/// Hours (one digit will do), minutes and seconds, as Go reads `15:04:05`.
fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let fits = |text: &str, least: usize, below: u8| {
        (least..=2).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse().is_ok_and(|number: u8| number < below)
    };
    matches!(parts.as_slice(), [hours, minutes, seconds]
        if fits(hours, 1, 24) && fits(minutes, 2, 60) && fits(seconds, 2, 60))
}

fn zone(text: &str) -> Result<String, String> {
    match text {
        "" => Ok("UTC".to_owned()),
        _ if is_zone(text) => Ok(text.to_owned()),
        _ => Err(format!(
            "\"{text}\" is no time zone: write it as Europe/Zurich or UTC"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_zones_are_read_as_go_reads_them() {
        let of = |start: &str, end: &str| Ok((start.to_owned(), end.to_owned()));
        assert_eq!(span("08:00:00-17:30:59"), of("08:00:00", "17:30:59"));
        assert_eq!(span("8:00:00-23:59:59"), of("8:00:00", "23:59:59"));
        for text in [
            "",
            "08:00-17:00",
            "8:0:0-9:0:0",
            "24:00:00-01:00:00",
            "08:00:00",
            "x-y",
            "08:00:00-09:00:00-10:00:00",
        ] {
            assert!(
                span(text).unwrap_err().contains("08:00:00-17:30:00"),
                "{text}"
            );
        }
        assert_eq!(zone(""), Ok("UTC".to_owned()));
        assert_eq!(zone("Europe/Zurich"), Ok("Europe/Zurich".to_owned()));
        zone("Europe/Atlantis").unwrap_err();
    }

    #[test]
    fn types_of_connections_may_be_in_lower_case() {
        let of = |text: &str| connection_types("--conn-type", &[text.to_owned()]);
        assert_eq!(of("mqtt,Leafnode_WS").unwrap(), ["MQTT", "LEAFNODE_WS"]);
        assert!(
            of("carrier")
                .unwrap_err()
                .to_string()
                .contains("leafnode_ws")
        );
    }
}
