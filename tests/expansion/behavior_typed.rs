#[behavior(
    PlaceOrder,
    orders::OrderCancelled,
    order = -10,
    after = Timing,
    before = [Other, audit::Record],
    lends(&mut SqliteConnection, &Tenant, &mut Transaction<'_, Sqlite>, &(dyn Clock + Sync)),
    crate = ::bus,
)]
#[allow(dead_code)]
struct CheckCredit;
