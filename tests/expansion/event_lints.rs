#[event]
#[deprecated = "use `OrderAccepted`"]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub struct OrderPlaced {
    #[allow(non_snake_case, deprecated)]
    pub orderId: OldId,
    #[cfg_attr(feature = "new", deprecated)]
    pub paid: bool,
}
