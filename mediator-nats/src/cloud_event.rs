//! Events as messages: CloudEvents in binary mode, by their binding for NATS
//! (<https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md>).

use std::time::SystemTime;

use async_nats::HeaderMap;
use mediator_core::EventId;
use mediator_outbox::ExternalEvent;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What the binding has encoded in values, beside what is not ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

const JSON: &str = "application/json";

// Extensions of ours, named as CloudEvents has it: lower case, without separators.
const VERSION: &str = "eventversion";
const CORRELATION_ID: &str = "correlationid";
const CAUSATION_ID: &str = "causationid";

/// The headers of an event that `service` publishes.
pub(crate) fn to_headers(event: &ExternalEvent, service: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |attribute: &str, value: &str| {
        headers.insert(format!("ce-{attribute}"), utf8_percent_encode(value, ENCODED).to_string());
    };
    set("specversion", "1.0");
    set("id", &event.event_id.to_string());
    set("source", service);
    set("type", &event.name);
    set("datacontenttype", JSON);
    set(VERSION, &event.version.to_string());
    if let Ok(time) = OffsetDateTime::from(event.recorded_at).format(&Rfc3339) {
        set("time", &time);
    }
    if let Some(key) = &event.key {
        set("partitionkey", key);
    }
    for (attribute, id) in [(CORRELATION_ID, event.correlation_id), (CAUSATION_ID, event.causation_id)] {
        if let Some(id) = id {
            set(attribute, &id.to_string());
        }
    }
    for (header, value) in [("traceparent", &event.traceparent), ("tracestate", &event.tracestate)] {
        // What is no header is no trace context.
        if let Some(value) = value.as_deref().filter(|value| is_header(value)) {
            headers.insert(header, value);
        }
    }
    headers
}

/// The event of a message, or what is wrong with it.
pub(crate) fn from_message(headers: Option<&HeaderMap>, payload: &[u8]) -> Result<ExternalEvent, String> {
    let headers = headers.ok_or("it has no headers; it is no CloudEvent in binary mode")?;
    let attributes = Attributes(headers);
    let version = attributes.required("specversion")?;
    if !version.starts_with("1.") {
        return Err(format!("CloudEvents `{version}` are not understood; those of 1.0 are"));
    }
    let content_type = attributes.optional("datacontenttype")?.unwrap_or_else(|| JSON.to_owned());
    if !is_json(&content_type) {
        return Err(format!("its data is `{content_type}`, but must be `{JSON}`"));
    }
    let id = attributes.required("id")?;
    let event_id = id.parse().map_err(|_| format!("`ce-id` is `{id}`, which is no UUID"))?;
    let payload = str::from_utf8(payload).map_err(|error| format!("its data is not UTF-8: {error}"))?;
    let mut event = ExternalEvent::new(event_id, attributes.required("type")?, payload);
    if let Some(version) = attributes.optional(VERSION)? {
        event.version = version.parse().map_err(|_| format!("`ce-{VERSION}` is `{version}`, which is no version"))?;
    }
    event.source = Some(attributes.required("source")?);
    event.key = attributes.optional("partitionkey")?;
    event.correlation_id = attributes.id(CORRELATION_ID);
    event.causation_id = attributes.id(CAUSATION_ID);
    event.recorded_at = attributes.optional("time")?.and_then(|time| parse_time(&time)).unwrap_or_else(SystemTime::now);
    event.traceparent = attributes.trace("traceparent");
    event.tracestate = attributes.trace("tracestate");
    Ok(event)
}

struct Attributes<'a>(&'a HeaderMap);

impl Attributes<'_> {
    fn optional(&self, attribute: &str) -> Result<Option<String>, String> {
        let Some(value) = self.0.get(format!("ce-{attribute}")) else { return Ok(None) };
        match percent_decode_str(value.as_str()).decode_utf8() {
            Ok(value) => Ok(Some(value.into_owned())),
            Err(error) => Err(format!("`ce-{attribute}` is not UTF-8: {error}")),
        }
    }

    fn required(&self, attribute: &str) -> Result<String, String> {
        let value = self.optional(attribute)?.filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("`ce-{attribute}` is missing"))
    }

    /// What is only to be followed, and no reason to refuse an event.
    fn id(&self, attribute: &str) -> Option<EventId> {
        self.optional(attribute).ok().flatten()?.parse().ok()
    }

    /// As a header of its own, or as CloudEvents' extension for it has it.
    fn trace(&self, header: &str) -> Option<String> {
        let value = self.0.get(header).or_else(|| self.0.get(format!("ce-{header}")));
        value.map(|value| value.as_str().to_owned()).filter(|value| is_header(value))
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == JSON || essence.ends_with("+json")
}

fn is_header(value: &str) -> bool {
    value.len() <= 1024 && value.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

fn parse_time(time: &str) -> Option<SystemTime> {
    OffsetDateTime::parse(time, &Rfc3339).ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn event() -> ExternalEvent {
        let mut event = ExternalEvent::new(EventId::new(), "größe \"100%\"", "{}");
        event.version = 3;
        event.key = Some("a b\u{0}c\r\nd".to_owned());
        event.correlation_id = Some(EventId::new());
        event.causation_id = Some(EventId::new());
        event.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
        event.tracestate = Some("vendor=1".to_owned());
        event.recorded_at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
        event
    }

    #[test]
    fn an_event_survives_the_way_through_headers() {
        let event = event();
        let headers = to_headers(&event, "shop");
        assert_eq!(headers.get("ce-type").unwrap().as_str(), "gr%C3%B6%C3%9Fe%20%22100%25%22");
        assert_eq!(headers.get("ce-time").unwrap().as_str(), "2023-11-14T22:13:20.123456Z");
        let mut expected = event.clone();
        expected.source = Some("shop".to_owned());
        assert_eq!(from_message(Some(&headers), event.payload.as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_wrong_with_a_message_is_said() {
        let with = |attribute: &str, value: &str| {
            let mut headers = to_headers(&event(), "shop");
            headers.insert(attribute, value);
            from_message(Some(&headers), b"{}").unwrap_err()
        };
        assert_eq!(with("ce-datacontenttype", "text/xml"), "its data is `text/xml`, but must be `application/json`");
        assert_eq!(with("ce-id", "7"), "`ce-id` is `7`, which is no UUID");
        assert_eq!(with("ce-type", ""), "`ce-type` is missing");
        assert_eq!(with("ce-eventversion", "new"), "`ce-eventversion` is `new`, which is no version");
        assert_eq!(with("ce-specversion", "0.3"), "CloudEvents `0.3` are not understood; those of 1.0 are");
        assert!(with("ce-partitionkey", "%FF").contains("not UTF-8"));
        assert!(from_message(None, b"{}").unwrap_err().contains("no headers"));
        assert!(from_message(Some(&to_headers(&event(), "shop")), b"\xff").unwrap_err().contains("not UTF-8"));
    }

    #[test]
    fn other_clients_may_leave_out_what_is_optional() {
        let mut headers = HeaderMap::new();
        for (header, value) in [("specversion", "1.0"), ("type", "orders.placed"), ("source", "/erp"), ("id", ID)] {
            headers.insert(format!("ce-{header}"), value);
        }
        headers.insert("ce-datacontenttype", "application/vnd.erp+json; charset=utf-8");
        headers.insert("ce-traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let event = from_message(Some(&headers), b"{}").unwrap();
        assert_eq!((event.version, event.key, event.source.as_deref()), (1, None, Some("/erp")));
        assert!(event.traceparent.is_some());
    }

    const ID: &str = "0195c5a2-0000-7000-8000-000000000001";
}
