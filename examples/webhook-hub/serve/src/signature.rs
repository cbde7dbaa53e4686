//! Whether a delivery is GitHub's: the header `X-Hub-Signature-256`.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What GitHub and the hub know.
#[derive(Clone)]
pub(crate) struct Secret(Hmac<Sha256>);

impl Secret {
    pub(crate) fn new(secret: &str) -> Self {
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length"))
    }

    /// Whether `signature`, as `sha256=…`, is that of the body. Takes the same time wherever they differ.
    pub(crate) fn has_signed(&self, body: &[u8], signature: &[u8]) -> bool {
        let digest = signature.strip_prefix(b"sha256=").and_then(|digits| hex::decode(digits).ok());
        let mac = self.0.clone().chain_update(body);
        digest.is_some_and(|digest| mac.verify_slice(&digest).is_ok())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn githubs_own_example_is_verified() {
        let secret = Secret::new("It's a Secret to Everybody");
        let signature = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(secret.has_signed(b"Hello, World!", signature));
        assert!(!secret.has_signed(b"Hello, World.", signature));
        assert!(!Secret::new("another").has_signed(b"Hello, World!", signature));
        for wrong in
            [&b""[..], b"sha256=", b"sha256=00", b"sha1=757107ea", b"sha256=zz", &signature[7..], b"sha256=\xff"]
        {
            assert!(!secret.has_signed(b"Hello, World!", wrong));
        }
    }
}
