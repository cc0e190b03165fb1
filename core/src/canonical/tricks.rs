//! Ways to say something else than a reader sees, or the same in other words: each must be refused.
//!
//! tests/go/tricks.rs shows what Go reads in each.

/// A change to the payload of a claim.
pub struct Trick {
    /// The claim, as it is given for signing.
    pub base: &'static str,
    /// What is replaced; it stands once in the payload.
    pub from: &'static str,
    /// By what.
    pub to: &'static str,
    /// The reason of the refusal.
    #[allow(dead_code, reason = "who asks Go has no use for it")]
    pub why: &'static str,
    /// What Go makes of it, for the tests that ask it.
    #[allow(dead_code, reason = "the unit tests do not ask Go")]
    pub go: Go,
}

/// What Go makes of a trick.
#[allow(dead_code, reason = "the unit tests do not ask Go")]
#[derive(Clone, Copy, Debug)]
pub enum Go {
    /// The same as without the trick.
    Same,
    /// Something else: it encodes a claim with this text.
    Reads(&'static str),
    /// It reads no claim.
    Refuses,
}

use Go::{Reads, Refuses, Same};

/// Signed by an operator.
pub const ACCOUNT: &str = r#"{"name":"a<b\n/","sub":"ACATS5YOVB6ROX2WUNKGNQ2MP3GMXDMKSG2O4N5CLX3A6W4PZGZZIL2R","nats":{
"exports":[{"subject":"time.*","type":"stream","revocations":{"*":1}},{"subject":"t","type":"service","service_latency":{"sampling":5,"results":"r"}}],
"limits":{"subs":7,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":5,"leaf":-1,"tiered_limits":{"R1":{"disk_storage":11},"R3":{"disk_storage":13}}},
"signing_keys":["AAQEAQHDMTAQ6K7MTQP6KAFBZVGCI7EJ2ZIKAHWX5AWKXKDHQ56CC5NC",
{"kind":"user_scope","key":"ACQJVJPUPJTVTABP7FK7RXBNFIKKLSM5EO7JP6DECJ77SOBUKWSPBI3I","role":"r","template":{"pub":{"deny":["d"]},"sub":{},"payload":99},"description":""}],
"revocations":{"UB2PQXG2GTI4E7CGEFEEOMPJCV44HWOGZ7ANSSZIDKQR5ELCAWFKSTJX":100,"UBTM2YELSKFYRZIOB37KUM726HCDZ37AOKKLBOD6T7QKXJVDZ53DHOY2":200},
"default_permissions":{"pub":{},"sub":{}},"authorization":{},"cluster_traffic":"system","tags":["t"]}}"#;

/// Signed by an operator.
pub const GENERIC: &str = r#"{"sub":"x","nats":{"accounts":["a"],"number":1.5,"type":"custom","x":{"b":1,"c":[true,null]}}}"#;

macro_rules! tricks {
    ($( $base:ident $from:literal => $to:literal, $why:literal, $go:expr; )*) => {
        &[ $( Trick { base: $base, from: $from, to: $to, why: $why, go: $go } ),* ]
    };
}

/// The tricks.
pub const TRICKS: &[Trick] = tricks! {
    // Go takes a key in any letter case, and the long s and the Kelvin sign for letters.
    ACCOUNT r#""conn":5"# => r#""Conn":-1"#, r#"Case("conn")"#, Reads(r#""conn":-1"#);
    ACCOUNT r#""conn":5"# => r#""conn":5,"CONN":-1"#, r#"Case("conn")"#, Reads(r#""conn":-1"#);
    ACCOUNT r#""subs":7"# => r#""subs":7,"ſubs":-1"#, r#"Case("subs")"#, Reads(r#""subs":-1"#);
    ACCOUNT r#""payload":99"# => r#""payload":99,"PAYLOAD":-1"#, r#"Case("payload")"#, Same;
    ACCOUNT r#""signing_keys":["# => r#""signing_Keys":["x","#, r#"Case("signing_keys")"#, Reads(r#","x"],"revocations""#);
    ACCOUNT r#""nats":{"# => r#""Nats":{},"nats":{"#, r#"Case("nats")"#, Same;
    ACCOUNT r#""version":2}}"# => r#""version":2},"NATS":{"limits":{"conn":9}}}"#, r#"Case("nats")"#, Reads(r#""conn":9"#);
    ACCOUNT r#""name":"# => r#""Sub":"x","name":"#, r#"Case("sub")"#, Same;
    ACCOUNT r#""key":"A"# => r#""Key":"A"#, r#"Case("key")"#, Same;
    // The last of repeated members wins.
    ACCOUNT r#""conn":5"# => r#""conn":5,"conn":-1"#, r#"Order("conn")"#, Reads(r#""conn":-1"#);
    ACCOUNT r#""tags":["t"]"# => r#""tags":["t"],"tags":["u"]"#, r#"Order("tags")"#, Reads(r#""tags":["u"]"#);
    ACCOUNT r#""tags":["t"]"# => r#""tags":["t"],"limits":{"subs":-1}"#, r#"Order("limits")"#, Reads(r#""subs":-1"#);
    ACCOUNT r#""version":2}}"# => r#""version":2},"nats":{"limits":{"conn":9}}}"#, r#"Order("nats")"#, Reads(r#""conn":9"#);
    ACCOUNT r#""version":2}}"# => r#""version":2},"sub":"x"}"#, r#"Order("sub")"#, Reads(r#""sub":"x""#);
    ACCOUNT r#""disk_storage":11"# => r#""disk_storage":11,"disk_storage":12"#, r#"Order("disk_storage")"#, Reads(r#""disk_storage":12"#);
    // A map's keys are any text, so only their order shows a repetition.
    ACCOUNT r#""*":1"# => r#""*":9,"*":1"#, "Ascending", Same;
    ACCOUNT r#"DHOY2":200"# => r#"DHOY2":200,"UBTM2YELSKFYRZIOB37KUM726HCDZ37AOKKLBOD6T7QKXJVDZ53DHOY2":1"#, "Ascending", Reads(r#"DHOY2":1}"#);
    ACCOUNT r#"DHOY2":200"# => r#"DHOY2":200,"*":300"#, "Ascending", Reads(r#""*":300"#);
    ACCOUNT r#""R3":{"# => r#""R1":{"disk_storage":99},"R3":{"#, "Ascending", Reads(r#""R1":{"disk_storage":99}"#);
    // Go reads signing keys into a map: a plain key after a scope takes the scope away.
    ACCOUNT r#""description":""}]"# => r#""description":""},"ACQJVJPUPJTVTABP7FK7RXBNFIKKLSM5EO7JP6DECJ77SOBUKWSPBI3I"]"#, "Ascending",
        Reads(r#","ACQJVJPUPJTVTABP7FK7RXBNFIKKLSM5EO7JP6DECJ77SOBUKWSPBI3I"],"revocations""#);
    ACCOUNT r#""signing_keys":["# => r#""signing_keys":["B","#, "Ascending", Reads(r#""B"],"revocations""#);
    ACCOUNT r#""kind":"user_scope","# => "", r#"Missing("kind")"#, Refuses;
    // Out of order, unknown, at the end, between.
    ACCOUNT r#""conn":5,"leaf":-1"# => r#""leaf":-1,"conn":5"#, r#"Order("conn")"#, Same;
    ACCOUNT r#""conn":5"# => r#""conn":5,"note":"n""#, r#"UnknownKey("OperatorLimits")"#, Same;
    ACCOUNT r#""name":"# => r#""note":"n","name":"#, r#"UnknownKey("Standard")"#, Same;
    ACCOUNT r#""version":2}}"# => r#""version":2}} "#, "Trailing", Same;
    ACCOUNT r#""version":2}}"# => "\"version\":2}}\n", "Trailing", Same;
    ACCOUNT r#""version":2}}"# => r#""version":2}}{}"#, "Trailing", Refuses;
    ACCOUNT r#"{"jti""# => " {\"jti\"", "Space", Same;
    ACCOUNT r#""conn":5"# => r#""conn": 5"#, "Space", Same;
    ACCOUNT r#""conn":5,"# => "\"conn\":5,\t", "Space", Same;
    ACCOUNT r#"{"jti""# => "\u{feff}{\"jti\"", r#"Wanted("an object")"#, Refuses;
    // Other spellings of a text.
    ACCOUNT r#"a\u003cb"# => "a<b", "Escape", Same;
    ACCOUNT r#"a\u003cb"# => r#"a\u003Cb"#, "Escape", Same;
    ACCOUNT r#"a\u003cb"# => r#"\u0061\u003cb"#, "Escape", Same;
    ACCOUNT r#"b\n/"# => r#"b\u000a/"#, "Escape", Same;
    ACCOUNT r#"b\n/"# => r#"b\n\/"#, "Escape", Same;
    ACCOUNT r#"b\n/"# => "b\n/", "Escape", Refuses;
    ACCOUNT r#"b\n/"# => "b\u{2028}/", "Escape", Reads(r#"b\u2028/"#);
    ACCOUNT r#"b\n/"# => r#"b\ud800/"#, "Escape", Reads("b\u{fffd}/");
    ACCOUNT r#"b\n/"# => r#"b\ud83d\ude00/"#, "Escape", Reads("b😀/");
    ACCOUNT r#""conn":5"# => r#""\u0063onn":5"#, "Escape", Same;
    // Other spellings of a number, of nothing, of one of a few texts.
    ACCOUNT r#""conn":5"# => r#""conn":5.0"#, "Number", Refuses;
    ACCOUNT r#""conn":5"# => r#""conn":5e0"#, "Number", Refuses;
    ACCOUNT r#""conn":5"# => r#""conn":05"#, "Number", Refuses;
    ACCOUNT r#""conn":5"# => r#""conn":+5"#, r#"Wanted("a number")"#, Refuses;
    ACCOUNT r#""conn":5"# => r#""conn":"5""#, r#"Wanted("a number")"#, Refuses;
    ACCOUNT r#""conn":5"# => r#""conn":-0"#, "Number", Reads(r#""wildcards":true,"leaf""#);
    ACCOUNT r#""conn":5"# => r#""conn":9223372036854775808"#, "Number", Refuses;
    ACCOUNT r#""conn":5"# => r#""conn":18446744073709551621"#, "Number", Refuses;
    ACCOUNT r#""payload":99"# => r#""payload":99.0"#, "Number", Same;
    ACCOUNT r#""payload":99"# => r#""payload":9223372036854775807"#, "Number", Refuses;
    ACCOUNT r#""conn":5"# => r#""conn":0"#, "Zero", Reads(r#""wildcards":true,"leaf""#);
    ACCOUNT r#""conn":5"# => r#""conn":null"#, "Null", Reads(r#""wildcards":true,"leaf""#);
    ACCOUNT r#""wildcards":true"# => r#""wildcards":false"#, "Zero", Reads(r#""exports":-1,"conn""#);
    ACCOUNT r#""authorization":{}"# => r#""authorization":null"#, "Null", Same;
    ACCOUNT r#""tags":["t"]"# => r#""tags":[]"#, "Zero", Reads(r#""cluster_traffic":"system","type""#);
    ACCOUNT r#""tags":["t"]"# => r#""tags":[null]"#, "Null", Reads(r#""tags":[""]"#);
    ACCOUNT r#""cluster_traffic":"system""# => r#""cluster_traffic":"""#, "Zero", Reads(r#""authorization":{},"tags""#);
    ACCOUNT r#""time.*","type":"stream""# => r#""time.*","type":"Stream""#, r#"OneOf(["stream", "service"])"#, Refuses;
    ACCOUNT r#""sampling":5"# => r#""sampling":"Headers""#, r#"OneOf(["headers"])"#, Reads(r#""sampling":"headers""#);
    ACCOUNT r#""sampling":5"# => r#""sampling":0"#, "Number", Reads(r#""sampling":"headers""#);
    // The version and the type.
    ACCOUNT r#""type":"account","version":2"# => r#""type":"account","version":1"#, "Version", Refuses;
    ACCOUNT r#""type":"account","version":2"# => r#""type":"account","version":3"#, "Version", Refuses;
    ACCOUNT r#""type":"account","version":2"# => r#""version":2,"type":"account""#, r#"Order("type")"#, Same;
    ACCOUNT r#""type":"account","version":2"# => r#""type":"account""#, "Version", Refuses;
    ACCOUNT r#""type":"account","version":2"# => r#""type":"account","Type":"user","version":2"#, r#"Case("type")"#, Refuses;
    ACCOUNT r#""nats":{"# => r#""type":"account","nats":{"#, r#"UnknownKey("Standard")"#, Refuses;
    GENERIC r#""type":"custom""# => r#""type":"cluster""#, "Type(Generic)", Refuses;
    GENERIC r#""type":"custom""# => r#""type":"""#, "Zero", Reads(r#""type":"""#);
    GENERIC r#""type":"custom","version":2,"x":"# => r#""type":"account","version":2,"x":"#, r#"UnknownKey("Account")"#, Reads(r#""limits":{}"#);
    GENERIC r#""type":"custom""# => r#""Type":"account","type":"custom""#, "Ascending", Reads(r#""Type":"account""#);
    GENERIC r#""accounts""# => r#""Version":2,"accounts""#, "Reserved", Reads(r#""Version":2"#);
    GENERIC r#""version":2"# => r#""verſion":2"#, "Reserved", Reads(r#""verſion":2"#);
    GENERIC r#""version":2"# => r#""version":2.0"#, "Number", Refuses;
    GENERIC r#""type":"custom""# => r#""tags":"x","type":"custom""#, r#"Wanted("an array")"#, Refuses;
    GENERIC r#""number":1.5"# => r#""number":1.50"#, "Number", Same;
    GENERIC r#""number":1.5"# => r#""number":15e-1"#, "Number", Same;
    GENERIC r#"{"b":1,"# => r#"{"b":1,"b":2,"#, "Ascending", Reads(r#""b":2"#);
    GENERIC r#"{"b":1,"# => r#"{"a":1,"a":2,"b":1,"#, "Ascending", Reads(r#""a":2"#);
    GENERIC r#"true,null"# => r#"true ,null"#, r#"Space"#, Same;
};
