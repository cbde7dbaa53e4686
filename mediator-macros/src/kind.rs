//! What handlers handle: events, or requests.

/// What the macros of handlers share is written once, with the words of either.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Event,
    Request,
}

impl Kind {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Event => Self::Request,
            Self::Request => Self::Event,
        }
    }

    /// `event`, as the handled thing is called.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Request => "request",
        }
    }

    /// How it comes to its handlers: `published`.
    pub(crate) fn is_passed(self) -> &'static str {
        match self {
            Self::Event => "published",
            Self::Request => "sent",
        }
    }

    /// `OrderPlaced`, in examples.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Event => "OrderPlaced",
            Self::Request => "PlaceOrder",
        }
    }

    /// The macro of one handler, `event_handler`.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Event => "event_handler",
            Self::Request => "request_handler",
        }
    }

    /// The macro of a block of handlers, `event_handlers`.
    pub(crate) fn block_attribute(self) -> &'static str {
        match self {
            Self::Event => "event_handlers",
            Self::Request => "request_handlers",
        }
    }

    /// The trait that handlers implement, `EventHandler`.
    pub(crate) fn trait_name(self) -> &'static str {
        match self {
            Self::Event => "EventHandler",
            Self::Request => "RequestHandler",
        }
    }

    /// The options of a handler. The last one is that of a macro alone: for methods it is said once, for their block.
    pub(crate) fn options(self) -> &'static [&'static str] {
        match self {
            Self::Event => {
                &["order", "after", "before", "name", "manual", "durable", "alias", "dead", "timeout", "retry", "crate"]
            }
            // There is one handler, which is first and last.
            Self::Request => &["name", "manual", "timeout", "retry", "crate"],
        }
    }
}
