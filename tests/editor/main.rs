//! The editor: driven by the names that assistive technology is told, and looked at.

mod motion;
mod pictures;
mod raster;
mod space_page;
mod stand;
