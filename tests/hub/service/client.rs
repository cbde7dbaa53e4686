//! A client with one connection.

use std::error::Error;

use futures::{Stream, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::http::request::Builder;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpStream;

use crate::hub::SECRET;

type BoxBody = UnsyncBoxBody<Bytes, BoxError>;
type BoxError = Box<dyn Error + Send + Sync>;

pub(crate) struct Client {
    host: String,
    sender: SendRequest<BoxBody>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

impl Client {
    pub(crate) async fn connect(address: &str) -> Result<Self, BoxError> {
        let stream = TcpStream::connect(address).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { host: address.to_owned(), sender })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer, BoxError> {
        self.send(Request::get(path), Bytes::new()).await
    }

    pub(crate) async fn send(&mut self, request: Builder, body: impl Into<Bytes>) -> Result<Answer, BoxError> {
        let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
        self.send_body(request, body).await
    }

    /// A body that takes its time.
    pub(crate) async fn stream(
        &mut self,
        request: Builder,
        body: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<Answer, BoxError> {
        let frames = body.map(|bytes| Ok(Frame::data(bytes)));
        self.send_body(request, BodyExt::boxed_unsync(StreamBody::new(frames))).await
    }

    /// An answer whose body comes bit by bit.
    pub(crate) async fn open(&mut self, path: &str) -> Result<Incoming, BoxError> {
        let nothing = Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync();
        Ok(self.start(Request::get(path), nothing).await?.into_body())
    }

    async fn start(&mut self, request: Builder, body: BoxBody) -> Result<Response<Incoming>, BoxError> {
        let has_host = request.headers_ref().is_some_and(|headers| headers.contains_key(HOST));
        let request = if has_host { request } else { request.header(HOST, &self.host) };
        self.sender.ready().await?;
        Ok(self.sender.send_request(request.body(body)?).await?)
    }

    async fn send_body(&mut self, request: Builder, body: BoxBody) -> Result<Answer, BoxError> {
        let (parts, body) = self.start(request, body).await?.into_parts();
        let text = String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned();
        Ok(Answer { status: parts.status, headers: parts.headers, text })
    }

    /// A delivery as GitHub sends it.
    pub(crate) async fn deliver(&mut self, id: &str, event: &str, payload: &Value) -> Result<Answer, BoxError> {
        let body = payload.to_string();
        self.send(webhook(id, event, &signature(body.as_bytes())), body).await
    }
}

pub(crate) fn webhook(id: &str, event: &str, signature: &str) -> Builder {
    Request::post("/webhooks")
        .header(CONTENT_TYPE, "application/json")
        .header("x-github-event", event)
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", signature)
}

pub(crate) fn signature(body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
