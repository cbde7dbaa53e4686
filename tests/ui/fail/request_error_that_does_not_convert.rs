use mediator_core::prelude::*;

#[derive(Debug)]
struct NotFromSendError;

impl std::fmt::Display for NotFromSendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not")
    }
}

impl std::error::Error for NotFromSendError {}

struct NoError;

impl From<SendError> for NoError {
    fn from(_: SendError) -> Self {
        Self
    }
}

#[request(usize, error = NotFromSendError)]
struct PlaceOrder;

#[request_handler]
async fn place_order(_request: &PlaceOrder) -> Result<usize, NotFromSendError> {
    Ok(1)
}

#[request(error = NoError)]
struct Tidy;

#[request(Vec<T>, error = String)]
struct Find<T>(T);

fn main() {}
