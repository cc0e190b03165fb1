//! `nkey generate diagram object`.

use super::OutputFlags;
use super::drawing::{Drawing, Item, Line, Row};
use crate::context::Context;
use crate::error::Error;
use crate::input::time::is_zone;
use crate::store::chain::has_own_permissions;
use crate::store::{Store, Typed};
use crate::text;
use nkey_core::claims::owned::{Account, Claims, NatsLimits, OperatorLimits, SigningKey, User};
use nkey_core::tolerant::AnyClaims;
use nkey_core::validate::{self, Class};

#[derive(clap::Args)]
pub struct Args {
    /// Include what is not set, and limits that do not limit
    #[arg(long)]
    detail: bool,
    /// Include public keys
    #[arg(long)]
    show_keys: bool,
    /// Include users
    #[arg(long)]
    users: bool,
    #[command(flatten)]
    output: OutputFlags,
}

/// Draws the operator, its accounts and users, and what they say.
///
/// # Errors
/// If a token cannot be read.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let now = ctx.now();
    let entry = operator.claims()?;
    let mut drawing = Drawing {
        title: format!("Operator {}", operator.name()),
        boxes: Vec::new(),
        lines: Vec::new(),
    };
    let mut rows = Rows::new(args);
    let nats = &entry.claims.nats;
    rows.keys(entry.sub(), nats.signing_keys.iter().map(String::as_str));
    rows.claims(&entry.claims);
    rows.list("service URLs", &nats.operator_service_urls);
    rows.text("account server", &nats.account_server_url);
    rows.flag("requires signing keys", nats.strict_signing_key_usage);
    rows.findings(&AnyClaims::Operator(entry.claims.clone()), now);
    drawing
        .boxes
        .push(rows.item(format!("operator {}", operator.name()), 0));
    for name in operator.accounts()? {
        let account = operator.account(&name)?;
        let mut rows = Rows::new(args);
        describe_account(&mut rows, &account.claims, now);
        if account.sub() == nats.system_account {
            rows.text("is", "the system account");
        }
        let at = drawing.boxes.len();
        drawing.boxes.push(rows.item(format!("account {name}"), 1));
        drawing.lines.push(Line {
            from: (0, None),
            to: (at, None),
        });
        if !args.users {
            continue;
        }
        for user in operator.users(&name)? {
            let entry = operator.user(&name, &user)?;
            let mut rows = Rows::new(args);
            describe_user(&mut rows, &entry.claims, now);
            drawing.lines.push(Line {
                from: (at, None),
                to: (drawing.boxes.len(), None),
            });
            drawing.boxes.push(rows.item(format!("user {user}"), 2));
        }
    }
    args.output.write(ctx, &drawing)
}

fn describe_account(rows: &mut Rows<'_>, claims: &Claims<Account>, now: i64) {
    let nats = &claims.nats;
    rows.keys(
        &claims.standard.sub,
        nats.signing_keys.iter().map(SigningKey::key),
    );
    rows.claims(claims);
    rows.text("description", &nats.description);
    let scopes: Vec<String> = nats
        .signing_keys
        .iter()
        .filter_map(|key| match key {
            SigningKey::Plain(_) => None,
            SigningKey::Scoped(scope) => scope.role.clone(),
        })
        .collect();
    rows.list("roles", &scopes);
    rows.count("exports", nats.exports.len());
    rows.count("imports", nats.imports.len());
    rows.count("mappings", nats.mappings.len());
    rows.count("revocations", nats.revocations.len());
    if let Some(limits) = &nats.limits {
        rows.account_limits(limits);
    }
    rows.findings(&AnyClaims::Account(claims.clone()), now);
}

fn describe_user(rows: &mut Rows<'_>, claims: &Claims<User>, now: i64) {
    rows.keys(&claims.standard.sub, std::iter::empty());
    rows.claims(claims);
    if !has_own_permissions(&claims.nats) {
        rows.text("permissions and limits", "those of its signing key's role");
        rows.findings(&AnyClaims::User(claims.clone()), now);
        return;
    }
    let user = &claims.nats.permissions;
    let none = Default::default();
    let publish = user.permissions.publish.as_ref().unwrap_or(&none);
    let subscribe = user.permissions.subscribe.as_ref().unwrap_or(&none);
    rows.list("may publish", &publish.allow);
    rows.list("may not publish", &publish.deny);
    rows.list("may subscribe", &subscribe.allow);
    rows.list("may not subscribe", &subscribe.deny);
    rows.list("networks", &user.user.src);
    rows.list("connection types", &user.allowed_connection_types);
    rows.flag("bearer", user.bearer_token);
    rows.limits(&user.limits);
    rows.findings(&AnyClaims::User(claims.clone()), now);
}

/// The rows of a box; without --detail, those that say something.
struct Rows<'a> {
    args: &'a Args,
    rows: Vec<Row>,
}

impl<'a> Rows<'a> {
    fn new(args: &'a Args) -> Rows<'a> {
        Rows {
            args,
            rows: Vec::new(),
        }
    }

    fn item(self, title: String, depth: usize) -> Item {
        Item {
            title,
            depth,
            rows: self.rows,
        }
    }

    fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.rows.push(Row::new(format!("{name}: {value}")));
        } else if self.args.detail {
            self.rows.push(Row::new(format!("{name}: not set")));
        }
    }

    fn list(&mut self, name: &str, items: &[String]) {
        self.text(name, &items.join(", "));
    }

    fn count(&mut self, name: &str, count: usize) {
        let text = match count {
            0 => String::new(),
            count => count.to_string(),
        };
        self.text(name, &text);
    }

    fn flag(&mut self, name: &str, set: bool) {
        if set || self.args.detail {
            self.rows.push(Row::new(format!(
                "{name}: {}",
                text::yes(set).to_lowercase()
            )));
        }
    }

    fn keys<'k>(&mut self, key: &str, signing_keys: impl Iterator<Item = &'k str>) {
        if self.args.show_keys {
            self.text("key", key);
            for key in signing_keys {
                self.text("signing key", key);
            }
        }
    }

    fn claims<N: Typed>(&mut self, claims: &Claims<N>) {
        self.list("tags", &claims.generic.tags);
        self.text("issued", &text::time(claims.standard.iat));
        self.text("valid from", &text::time(claims.standard.nbf));
        self.text("expires", &text::time(claims.standard.exp));
    }

    fn limit(&mut self, name: &str, limit: i64, bytes: bool) {
        if limit == -1 && !self.args.detail {
            return;
        }
        let value = match bytes {
            true => text::bytes(limit),
            false => text::count(limit),
        };
        self.text(name, &value);
    }

    fn limits(&mut self, limits: &NatsLimits) {
        self.limit("subscriptions", limits.subs, false);
        self.limit("data", limits.data, true);
        self.limit("largest message", limits.payload, true);
    }

    fn account_limits(&mut self, limits: &OperatorLimits) {
        self.limits(&limits.nats);
        self.limit("connections", limits.account.conn, false);
        self.limit("leaf nodes", limits.account.leaf, false);
        self.limit("most exports", limits.account.exports, false);
        self.limit("most imports", limits.account.imports, false);
        self.flag("no bearer users", limits.account.disallow_bearer);
        let flat = [("JetStream".to_owned(), &limits.jetstream)];
        let tiers = limits
            .tiered_limits
            .iter()
            .map(|(tier, limits)| (format!("JetStream {tier}"), limits));
        for (name, limits) in flat.into_iter().chain(tiers) {
            if limits.mem_storage != 0 || limits.disk_storage != 0 || self.args.detail {
                self.text(
                    &name,
                    &format!(
                        "memory {}, disk {}, streams {}, consumers {}",
                        text::bytes(limits.mem_storage),
                        text::bytes(limits.disk_storage),
                        text::count(limits.streams),
                        text::count(limits.consumer)
                    ),
                );
            }
        }
    }

    fn findings(&mut self, claims: &AnyClaims, now: i64) {
        for finding in validate::validate(&claims.effective(), now, &is_zone) {
            let text = finding.to_string();
            self.rows.push(match finding.class {
                Class::Warning => Row::new(format!("warning: {text}")),
                _ => Row::wrong(format!("servers refuse: {text}")),
            });
        }
    }
}
