//! The editor: driven by the names that assistive technology is told, and looked at.

mod graph_page;
mod motion;
mod pictures;
mod protocol_page;
mod raster;
mod stand;
