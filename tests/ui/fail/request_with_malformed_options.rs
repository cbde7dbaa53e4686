use mediator_core::prelude::*;

#[request(Result<usize, SendError>)]
struct AnswersResult;

#[request(usize, u8)]
struct AnswersTwice;

#[request(3)]
struct AnswersNumber;

#[request(usize, error)]
struct WithoutError;

#[request(usize, error = 3)]
struct FailsWithNumber;

#[request(usize, retry = 3)]
struct Retries;

#[request(&str)]
struct AnswersBorrow;

#[request(Option<&str>)]
struct AnswersBorrowWithin;

#[request(dyn Send)]
struct AnswersAnything;

#[request(impl Iterator<Item = u8>)]
struct AnswersSomething;

#[request(usize, durable)]
struct Durable;

#[request(usize)]
#[request(usize)]
struct Twice;

#[request(usize)]
struct Borrows<'a> {
    name: &'a str,
    other: &str,
}

#[request(usize)]
fn function() {}

#[request(usize)]
mod module {}

fn main() {}
