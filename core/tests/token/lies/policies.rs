//! Lies in the fields of a policy.

use super::bodies::{body, lengths, no_text, tags};
use super::told::Told;
use nkey_core::policy::{Claims, Kinds, Policy, Presence, Subjects};
use nkey_core::token::*;

/// Texts that servers take for no subject, or that are none.
const SUBJECTS: [&str; 17] = [
    ".",
    "a.",
    ".a",
    "a..b",
    " a",
    "a ",
    "a  b",
    " ",
    ">.a",
    "a.>.b",
    "a.\tb",
    "a\nb",
    "a\0",
    "a.\u{7f}",
    "a.\u{85}",
    "a\u{2003}b",
    "a.> b..c",
];

impl Told {
    pub fn policies(
        &mut self,
        policy: Policy<'static>,
        make: impl for<'p> Fn(Policy<'p>) -> Command<'p>,
    ) {
        let bytes = |policy| body(self.session, make(policy));
        let good = bytes(policy);
        let Policy {
            claims,
            kinds,
            bearer,
            life,
            within,
            presence,
            budget,
        } = policy;
        let others = [
            (
                "bearer",
                2,
                Policy {
                    bearer: !bearer,
                    ..policy
                },
            ),
            (
                "life",
                2,
                Policy {
                    life: life.map_or(Some(1), |_| None),
                    ..policy
                },
            ),
            (
                "budget",
                2,
                Policy {
                    budget: budget.map_or(Some(1), |_| None),
                    ..policy
                },
            ),
            (
                "within",
                2,
                Policy {
                    within: within.map_or(Some(Subjects("")), |_| None),
                    ..policy
                },
            ),
        ];
        let mut more = Vec::new();
        for (field, first, other) in others {
            more.extend(tags(field, &good, &bytes(other), first));
        }
        let never = match presence {
            Presence::Never => Presence::Always,
            Presence::Always | Presence::Cached(_) => Presence::Never,
        };
        more.extend(tags(
            "presence",
            &good,
            &bytes(Policy {
                presence: never,
                ..policy
            }),
            3,
        ));
        let subjects = Policy {
            within: Some(Subjects("orders.>")),
            ..policy
        };
        more.extend(lengths("within", &bytes(subjects), b"orders.>"));
        more.extend(no_text("within", &bytes(subjects), "orders.>"));
        self.lies.extend(more);

        for bits in [0x80, 0xFF, claims.0 | 0x80] {
            let policy = Policy {
                claims: Claims(bits),
                ..policy
            };
            self.lie("claims", bits, Code::Value, make(policy));
        }
        for bits in [0x80, 0xFF, kinds.0 | 0x80] {
            let policy = Policy {
                kinds: Kinds(bits),
                ..policy
            };
            self.lie("kinds", bits, Code::Value, make(policy));
        }
        for seconds in [0, 86_401, u32::MAX] {
            let policy = Policy {
                presence: Presence::Cached(seconds),
                ..policy
            };
            self.lie("presence", seconds, Code::Value, make(policy));
        }
        let many = ["a"; 17].join(" ");
        let long = "s".repeat(961);
        let huge = "a.b.c ".repeat(5_000) + "z";
        for text in SUBJECTS.into_iter().chain([many.as_str(), &long, &huge]) {
            let policy = Policy {
                within: Some(Subjects(text)),
                ..policy
            };
            let what = format!("{:?}", text.get(..9).unwrap_or(text));
            self.lie("within", what, Code::Value, make(policy));
        }
    }
}

/// Policies that allow more than a new user's key may.
pub fn wider(policy: Policy<'static>) -> [(&'static str, Policy<'static>); 4] {
    [
        (
            "claims",
            Policy {
                claims: Claims(0x7F),
                ..policy
            },
        ),
        (
            "kinds",
            Policy {
                kinds: Kinds(1),
                ..policy
            },
        ),
        (
            "bearer",
            Policy {
                bearer: true,
                ..policy
            },
        ),
        (
            "presence",
            Policy {
                presence: Presence::Never,
                ..policy
            },
        ),
    ]
}
