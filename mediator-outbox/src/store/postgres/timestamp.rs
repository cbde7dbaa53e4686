//! PostgreSQL's `timestamptz`, without a crate for calendars.

use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

use crate::store::sql::{micros, time};

/// Microseconds since 2000, as PostgreSQL keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timestamp(i64);

/// From 1970 to 2000.
const OFFSET: i64 = 946_684_800_000_000;
/// In the year 294276.
const LAST: i64 = 9_223_371_331_199_999_999;

impl Timestamp {
    /// Before every time.
    pub(super) const INFINITELY_OLD: Self = Self(i64::MIN);

    pub(super) fn before(self, micros: i64) -> Self {
        Self(self.0.saturating_sub(micros))
    }

    /// Microseconds since 1970.
    pub(super) fn micros(self) -> i64 {
        self.0.saturating_add(OFFSET)
    }

    pub(super) fn time(self) -> SystemTime {
        time(self.micros())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(micros(time.max(UNIX_EPOCH)).min(LAST) - OFFSET)
    }
}

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl PgHasArrayType for Timestamp {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1185))
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&self.0, buffer)
    }
}

impl Decode<'_, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => Ok(Self(Decode::<Postgres>::decode(value)?)),
            PgValueFormat::Text => Err("a timestamp is read in binary".into()),
        }
    }
}
