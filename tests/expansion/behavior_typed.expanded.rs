#[allow(dead_code)]
struct CheckCredit;
#[allow(dead_code)]
const _: () = {
    #[automatically_derived]
    #[allow(dead_code)]
    impl ::bus::Inject for CheckCredit {
        #[inline]
        fn inject(
            __services: &::bus::Services<'_>,
        ) -> ::core::result::Result<Self, ::bus::InjectError> {
            ::core::result::Result::Ok(Self {})
        }
    }
    ::bus::__private::inventory::submit! {
        ::bus::__private::BehaviorRegistration::new:: < PlaceOrder, CheckCredit >
        (::core::concat!(::core::module_path!(), "::CheckCredit"),
        ::core::module_path!(), "1.2.3").order_by(- 10i32).after(const { &
        [::bus::__private::HandlerRef::to:: < Timing > ()] }).before(const { &
        [::bus::__private::HandlerRef::to:: < Other > (),
        ::bus::__private::HandlerRef::to:: < audit::Record > ()] }).lends(const { &
        [::bus::__private::Borrow::exclusive:: < SqliteConnection > (""),
        ::bus::__private::Borrow::shared:: < Tenant > (""),
        ::bus::__private::Borrow::exclusive:: < Transaction < '_, Sqlite > > (""),
        ::bus::__private::Borrow::shared:: < dyn Clock + Sync > ("")] })
    }
    ::bus::__private::inventory::submit! {
        ::bus::__private::BehaviorRegistration::new:: < orders::OrderCancelled,
        CheckCredit > (::core::concat!(::core::module_path!(), "::CheckCredit"),
        ::core::module_path!(), "1.2.3").order_by(- 10i32).after(const { &
        [::bus::__private::HandlerRef::to:: < Timing > ()] }).before(const { &
        [::bus::__private::HandlerRef::to:: < Other > (),
        ::bus::__private::HandlerRef::to:: < audit::Record > ()] }).lends(const { &
        [::bus::__private::Borrow::exclusive:: < SqliteConnection > (""),
        ::bus::__private::Borrow::shared:: < Tenant > (""),
        ::bus::__private::Borrow::exclusive:: < Transaction < '_, Sqlite > > (""),
        ::bus::__private::Borrow::shared:: < dyn Clock + Sync > ("")] })
    }
};
