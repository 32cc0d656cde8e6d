//! The tables as Diesel knows them; see migrations/README.md.

// @generated automatically by Diesel CLI.

diesel::table! {
    /// Delivery orders; each is taken by exactly one courier.
    orders (id) {
        /// Grows; clients see it.
        id -> Int8,
        /// Degrees north (WGS 84) of where the goods are fetched.
        origin_lat -> Float8,
        /// Degrees east (WGS 84) of where the goods are fetched.
        origin_lng -> Float8,
        /// Degrees north (WGS 84) of where the goods are brought.
        destination_lat -> Float8,
        /// Degrees east (WGS 84) of where the goods are brought.
        destination_lng -> Float8,
        /// From origin to destination by road, in metres.
        distance -> Int4,
        /// UNASSIGNED, or TAKEN for good.
        status -> Text,
        /// When the order was placed.
        created_at -> Timestamptz,
        /// When a courier took it; null while nobody has.
        taken_at -> Nullable<Timestamptz>,
    }
}
