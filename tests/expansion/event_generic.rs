#[event]
pub struct Created<T: Clone, const N: usize>
where
    T: Default,
{
    pub values: [T; N],
    #[cfg(feature = "audit")]
    pub by: UserId,
}
