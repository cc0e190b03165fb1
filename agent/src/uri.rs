//! `pkcs11:` URIs (RFC 7512), as far as they name tokens and keys.

/// The attributes of a URI's path that name something here; others are refused, since they
/// would make the name narrower than it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uri {
    /// The token's label.
    pub token: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its manufacturer.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// The key's label.
    pub object: Option<String>,
    /// The key's id.
    pub id: Option<Vec<u8>>,
}

impl Uri {
    /// The URI of a text; none if it does not start as one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Option<Uri>, String> {
        let Some(path) = text.strip_prefix("pkcs11:") else {
            return Ok(None);
        };
        if path.contains('?') {
            return Err("a query (?) is not read: PINs and modules do not belong there".into());
        }
        let mut uri = Uri::default();
        for attribute in path.split(';').filter(|attribute| !attribute.is_empty()) {
            let (name, value) = attribute
                .split_once('=')
                .ok_or_else(|| format!("{attribute} has no value"))?;
            let bytes = decode(value).ok_or_else(|| format!("{name} is not percent-encoded"))?;
            if name == "id" {
                set(&mut uri.id, name, bytes)?;
                continue;
            }
            let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
            match name {
                "token" => set(&mut uri.token, name, text)?,
                "serial" => set(&mut uri.serial, name, text)?,
                "manufacturer" => set(&mut uri.manufacturer, name, text)?,
                "model" => set(&mut uri.model, name, text)?,
                "object" => set(&mut uri.object, name, text)?,
                "type" if text == "private" || text == "public" => {}
                _ => return Err(format!("the attribute {name} is not known here")),
            }
        }
        Ok(Some(uri))
    }

    /// Whether it names a token with this label, serial number, manufacturer and model.
    pub fn fits_token(&self, label: &str, serial: &str, manufacturer: &str, model: &str) -> bool {
        let fits = |wanted: &Option<String>, found| wanted.as_deref().is_none_or(|w| w == found);
        fits(&self.token, label)
            && fits(&self.serial, serial)
            && fits(&self.manufacturer, manufacturer)
            && fits(&self.model, model)
    }
}

fn set<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{name} is there twice")),
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let (digits, after) = after.split_first_chunk::<2>()?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_read_and_wrong_ones_are_named() {
        assert_eq!(Uri::parse("nats"), Ok(None));
        let uri = Uri::parse("pkcs11:token=my%20token;serial=1;object=ops;id=%01%ff;type=private");
        let uri = uri.unwrap().unwrap();
        assert_eq!(uri.token.as_deref(), Some("my token"));
        assert_eq!(uri.id, Some(vec![1, 255]));
        assert!(uri.fits_token("my token", "1", "any", "any"));
        assert!(!uri.fits_token("my token", "2", "any", "any"));
        for (text, part) in [
            ("pkcs11:token", "no value"),
            ("pkcs11:token=%4", "percent"),
            ("pkcs11:token=%zz", "percent"),
            ("pkcs11:token=%ff", "UTF-8"),
            ("pkcs11:token=a;token=b", "twice"),
            ("pkcs11:slot-id=1", "not known"),
            ("pkcs11:token=a?pin-value=1", "query"),
        ] {
            let error = Uri::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
