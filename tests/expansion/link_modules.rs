mediator_core::link_modules!(orders, #[cfg(feature = "billing")] billing);
