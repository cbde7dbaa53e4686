/// Binds ten handlers of types of their own for each of the `tens`: `Handler<0>`, `Handler<1>` and so on.
#[macro_export]
macro_rules! bind_tens {
    ($builder:expr, $event:ty, $handler:ident($value:expr), $($tens:literal)*) => {{
        let builder = $builder;
        $(let builder = $crate::bind_tens!(@ones builder, $event, $handler($value), $tens, 0 1 2 3 4 5 6 7 8 9);)*
        builder
    }};
    (@ones $builder:ident, $event:ty, $handler:ident($value:expr), $tens:literal, $($ones:literal)*) => {
        $builder$(.bind_handler::<$event, _>($handler::<{ 10 * $tens + $ones }>($value)))*
    };
}
