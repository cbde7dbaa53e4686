//! Who may change something, and what browsers may do with the page.

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Everything comes from the page's own origin, nothing is inline, and nobody frames it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

pub(crate) async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // With `no-referrer`, the page's own requests would not say where they come from.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether a request comes from a page of this origin, as browsers say by `Sec-Fetch-Site` and `Origin`.
///
/// All current browsers send one of them with a POST, so what has neither is no page, and must say `Sec-Fetch-Site:
/// same-origin` itself.
pub(crate) fn is_same_origin(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE).map(|site| site == "same-origin");
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().is_ok_and(|origin| is_host(origin, headers)));
    match (site, origin) {
        (None, None) => false,
        (site, origin) => site.unwrap_or(true) && origin.unwrap_or(true),
    }
}

fn is_host(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.is_some() && origin.split_once("://").map(|(_, authority)| authority) == host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_the_page_itself_is_of_the_same_origin() {
        let host = ("host", "hub.example:8080");
        for (is_same, pairs) in [
            (true, &[host, ("sec-fetch-site", "same-origin")][..]),
            (true, &[host, ("origin", "https://hub.example:8080")]),
            (true, &[host, ("origin", "http://hub.example:8080"), ("sec-fetch-site", "same-origin")]),
            (false, &[host]),
            (false, &[host, ("sec-fetch-site", "cross-site")]),
            (false, &[host, ("sec-fetch-site", "same-site")]),
            (false, &[host, ("sec-fetch-site", "none")]),
            (false, &[host, ("origin", "https://evil.example")]),
            (false, &[host, ("origin", "https://hub.example:8080.evil.example")]),
            (false, &[host, ("origin", "null")]),
            (false, &[("origin", "https://hub.example:8080")]),
            (false, &[host, ("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")]),
        ] {
            assert_eq!(is_same_origin(&headers(pairs)), is_same, "{pairs:?}");
        }
    }
}
