//! `Request::response_text`, for `#[request]`: compiled where somebody can record answers.

#[cfg(feature = "testing")]
#[macro_export]
#[doc(hidden)]
macro_rules! __response_text {
    ($Response:ty) => {
        fn response_text(__response: &$Response) -> ::core::option::Option<::std::string::String> {
            // By `Debug` if the answer has it: that is found first.
            #[allow(unused_imports)]
            use $crate::testing::__private::{ShowDebug as _, ShowNothing as _};
            let __show = (&$crate::testing::__private::TypeToShow::<$Response>::new()).show();
            __show(__response).map(|__response| ::std::format!("{__response:?}"))
        }
    };
}

#[cfg(not(feature = "testing"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __response_text {
    ($Response:ty) => {};
}
