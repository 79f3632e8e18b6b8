//! The editor: driven by the names that assistive technology is told, and looked at.

mod beat_column;
mod control_page;
mod cost;
mod graph_page;
mod inserts_card;
mod lanes;
mod motion;
mod pictures;
mod presets_page;
mod protocol_page;
mod raster;
mod reach;
mod scope_page;
mod shown;
mod space_page;
mod stand;
mod tidy;
mod widgets;
