//! What a token says it is on USB; hosts look for it by this.

/// Vendor and product of the USB ids. pid.codes' ids for tests: a release has its own.
pub const USB_ID: (u16, u16) = (0x1209, 0x0001);
/// The product string.
pub const PRODUCT: &str = "NKey token";
/// What every serial number starts with.
pub const SERIAL_PREFIX: &str = "NKEY-";
