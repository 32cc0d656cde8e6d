ALTER TABLE orders SET (
    -- Room on each page for the rows that taking writes anew: they stay there, and no index learns of it.
    fillfactor = 90,
    -- A deep page is found in the index alone as far as vacuum has seen the rows. What it has not seen yet
    -- costs by the row, so vacuum starts after a fixed number of changes, not after a share of the table.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_insert_scale_factor = 0
);
