//! The editor: driven by the names that assistive technology is told, and looked at.

mod motion;
mod pictures;
mod raster;
mod reach;
mod space_page;
mod stand;
mod widgets;
