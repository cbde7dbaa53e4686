#[request(Option<T>, name = "find")]
struct Find<T: Clone>(T);
