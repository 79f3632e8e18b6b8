"""Makes the editor's fonts from the Inter family (Debian: fonts-inter): the letters it needs, with digits of one width.

    apt-get install fonts-inter && pip install fonttools && python3 assets/fonts/make.py

egui shapes no text, so OpenType features do nothing there: tabular digits are put in the place of the others.
"""
import pathlib
from fontTools import subset
from fontTools.ttLib import TTFont

LETTERS = (
    [*range(0x20, 0x7F), *range(0xA0, 0x100), 0x131, 0x152, 0x153, *range(0x2010, 0x2016)]
    + [0x2018, 0x2019, 0x201A, 0x201C, 0x201D, 0x2022, 0x2026, 0x2032, 0x2033, 0x2039, 0x203A]
    + [*range(0x2190, 0x2195), 0x21BA, 0x21BB, 0x2212, 0x221E, 0x2248, 0x2264, 0x2265, 0x394, 0x3C6]
    + [0x25B2, 0x25B6, 0x25BC, 0x25C0, 0x25CB, 0x25CF, 0x2713]
)
here = pathlib.Path(__file__).parent
for weight in ["Light", "Regular", "SemiBold"]:
    font = TTFont(f"/usr/share/fonts/opentype/inter/Inter-{weight}.otf")
    gsub = font["GSUB"].table
    wanted = {r.Feature.LookupListIndex[0] for r in gsub.FeatureList.FeatureRecord if r.FeatureTag == "tnum"}
    tabular = {}
    for index in wanted:
        for table in gsub.LookupList.Lookup[index].SubTable:
            tabular.update(getattr(table, "ExtSubTable", table).mapping)
    for table in font["cmap"].tables:
        for code in [*range(0x30, 0x3A), 0x2B, 0x2D, 0x2212]:
            if table.cmap.get(code) in tabular:
                table.cmap[code] = tabular[table.cmap[code]]
    options = subset.Options()
    options.layout_features = ["kern"]
    options.hinting = False
    options.desubroutinize = True
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=LETTERS)
    subsetter.subset(font)
    font.save(here / f"Inter-{weight}.otf")
