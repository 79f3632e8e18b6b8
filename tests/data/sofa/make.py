"""Writes the SOFA files of this folder, as different libraries and settings write them.

    pip install h5py netCDF4 && python make.py

Every file holds the same kind of numbers, which tests/hrtf_forms.rs works out again:
Data.IR[m, r, n] = ((131 m + 37 r + 17 n) mod 201 - 100) / 128.
"""

import os
import sys

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t
from netCDF4 import Dataset

FOLDER = os.path.dirname(os.path.abspath(__file__))
LATEST, EARLIEST = ("latest", "latest"), ("earliest", "v108")
HEAD = {
    "Conventions": "SOFA",
    "Version": "1.0",
    "SOFAConventions": "SimpleFreeFieldHRIR",
    "SOFAConventionsVersion": "1.0",
    "APIName": "make.py",
    "DataType": "FIR",
    "RoomType": "free field",
    "Title": "Forms",
    "AuthorContact": "Jörg Å. <nobody@example.org>",
    "Organization": "Zeitgeber",
    "License": "MIT or Apache-2.0",
    "DatabaseName": "Forms",
    "ListenerShortName": "none",
}


def responses(count, taps):
    m, r, n = np.ogrid[:count, :2, :taps]
    return ((131 * m + 37 * r + 17 * n) % 201 - 100) / 128


def places(count):
    k = np.arange(count)
    return np.stack([k * 360.0 / count, (k * 7) % 91 - 40.0, np.full(count, 1.5)], axis=1)


def path(name):
    return os.path.join(FOLDER, name + ".sofa")


def attributes(target, given, fixed=False):
    for name, text in given.items():
        if fixed:
            target.attrs.create(name, np.bytes_(text.encode()))
        else:
            target.attrs[name] = text


def rest(file, count, delay=((0.0, 0.0),), fixed=False):
    """All but the responses."""
    position = file.create_dataset("SourcePosition", data=places(count))
    attributes(position, {"Type": "spherical", "Units": "degree, degree, metre"}, fixed)
    rate = file.create_dataset("Data.SamplingRate", data=[48000.0])
    attributes(rate, {"Units": "hertz"}, fixed)
    file.create_dataset("Data.Delay", data=np.array(delay))
    ears = file.create_dataset("ReceiverPosition", data=[[[0.0], [0.09], [0.0]], [[0.0], [-0.09], [0.0]]])
    attributes(ears, {"Type": "cartesian", "Units": "metre"}, fixed)
    for name, value in [
        ("ListenerPosition", [0, 0, 0]),
        ("ListenerView", [1, 0, 0]),
        ("ListenerUp", [0, 0, 1]),
        ("EmitterPosition", [0, 0, 0]),
    ]:
        one = file.create_dataset(name, data=np.array([value], dtype="f8"))
        attributes(one, {"Type": "cartesian", "Units": "metre"}, fixed)


def make(name, libver=EARLIEST, count=24, taps=16, kind="<f8", scale=1, plain=False, **options):
    """A file by h5py."""
    fixed = options.pop("fixed", False)
    userblock = options.pop("userblock", 0)
    order = options.pop("track_order", False)
    head = options.pop("head", {})
    with h5py.File(path(name), "w", libver=libver, userblock_size=userblock, track_order=order) as file:
        attributes(file, {**HEAD, **head}, fixed)
        data = (responses(count, taps) * scale).astype(kind)
        if plain:
            low(file, data, **options)
        else:
            file.create_dataset("Data.IR", data=data, track_order=order, **options)
        rest(file, count, fixed=fixed)


def low(file, data, layout=None, early=False, chunk=None, mask=None):
    """Data.IR with what only the low interface offers."""
    dcpl = h5p.create(h5p.DATASET_CREATE)
    if layout is not None:
        dcpl.set_layout(layout)
    if chunk is not None:
        dcpl.set_chunk(chunk)
    if early:
        dcpl.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    if mask is not None:
        dcpl.set_shuffle()
        dcpl.set_deflate(6)
    kind = h5t.py_create(data.dtype)
    space = h5s.create_simple(data.shape)
    ir = h5d.create(file.id, b"Data.IR", kind, space, dcpl)
    if mask is None:
        ir.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(data))
        return
    for first in range(0, data.shape[0], chunk[0]):
        # Neither shuffled nor packed: both filters are left out of this chunk.
        ir.write_direct_chunk((first, 0, 0), data[first : first + chunk[0]].tobytes(), filter_mask=mask)


def netcdf(name, kind="f8", form="NETCDF4", **options):
    with Dataset(path(name), "w", format=form) as file:
        for key, text in HEAD.items():
            setattr(file, key, text)
        for key, size in {"M": 24, "R": 2, "N": 16, "C": 3, "I": 1, "E": 1}.items():
            file.createDimension(key, size)
        ir = file.createVariable("Data.IR", kind, ("M", "R", "N"), **options)
        ir[:] = responses(24, 16)
        position = file.createVariable("SourcePosition", "f8", ("M", "C"))
        position.Type, position.Units = "spherical", "degree, degree, metre"
        position[:] = places(24)
        rate = file.createVariable("Data.SamplingRate", "f8", ("I",))
        rate.Units = "hertz"
        rate[:] = 48000.0
        file.createVariable("Data.Delay", "f8", ("I", "R"))[:] = 0.0
        ears = file.createVariable("ReceiverPosition", "f8", ("R", "C", "I"))
        ears.Type, ears.Units = "cartesian", "metre"
        ears[:] = np.array([[[0.0], [0.09], [0.0]], [[0.0], [-0.09], [0.0]]])


packed = {"compression": "gzip", "shuffle": True, "fletcher32": True}
make("h5py", fixed=False)
make("h5py_fixed_texts", fixed=True, kind="<f4")
make("h5py_packed", chunks=(5, 2, 7), **packed)
make("h5py_deep_tree", count=700, taps=2, kind="<f4", chunks=(1, 2, 2))
make("h5py_latest", LATEST)
make("h5py_latest_order", LATEST, track_order=True, kind=">f8")
make("h5py_user_block", userblock=1024, kind="<f4")
make("h5py_long_text", LATEST, kind="<f4", head={"Comment": "x" * 9000})
make("big_endian", kind=">f4")
make("whole_32", kind="<i4", scale=128)
make("whole_16_big_endian", kind=">i2", scale=128)
make("one_chunk", LATEST, kind="<f4", chunks=(24, 2, 16))
make("one_chunk_packed", LATEST, chunks=(24, 2, 16), **packed)
make("implicit", LATEST, kind="<f4", plain=True, early=True, chunk=(5, 1, 16))
make("fixed_array", LATEST, kind="<f4", chunks=(5, 1, 7))
make("fixed_array_packed", LATEST, chunks=(5, 2, 7), **packed)
make("fixed_array_growing", LATEST, kind="<f4", chunks=(5, 1, 7), maxshape=(50, 2, 40))
make("fixed_array_pages", LATEST, count=1100, taps=2, kind="<f4", chunks=(1, 1, 2))
make("extensible_array", LATEST, count=300, taps=4, kind="<f4", chunks=(1, 1, 3), maxshape=(None, 2, 4))
make("extensible_array_packed", LATEST, chunks=(2, 1, 7), maxshape=(None, 2, 16), **packed)
make("extensible_array_last", LATEST, kind="<f4", chunks=(5, 1, 1), maxshape=(30, 2, None))
make("tree_2", LATEST, kind="<f4", chunks=(5, 1, 7), maxshape=(None, 2, None))
make("tree_2_packed", LATEST, chunks=(5, 1, 7), maxshape=(None, 2, None), **packed)
make("tree_2_deep", LATEST, count=500, taps=2, kind="<f4", chunks=(1, 1, 1), maxshape=(None, 2, None))
make("compact", kind="<f4", plain=True, layout=h5d.COMPACT)
make("filters_left_out", kind="<f4", plain=True, chunk=(4, 2, 16), mask=3)
netcdf("netcdf", zlib=True, shuffle=True)
netcdf("netcdf_plain", kind="f4")
netcdf("netcdf_big_endian", endian="big", zlib=True, fletcher32=True)
make("refused_lzf", kind="<f4", compression="lzf")
make("refused_scale", kind="<i4", scale=128, scaleoffset=0)
make("refused_kind", head={"SOFAConventions": "SingleRoomDRIR"})
netcdf("refused_classic", form="NETCDF3_CLASSIC")
if "--large" in sys.argv:
    # Some megabytes each, not kept: arrays that are large enough for pages, trees of three levels.
    make("large_extensible", LATEST, count=150000, taps=1, kind="<f4", chunks=(1, 2, 1), maxshape=(None, 2, 1))
    make("large_extensible_packed", LATEST, count=150000, taps=1, chunks=(1, 2, 1), maxshape=(None, 2, 1), compression="gzip")
    make("large_tree_2", LATEST, count=150000, taps=1, kind="<f4", chunks=(1, 2, 1), maxshape=(None, None, 1))
    make("large_tree_1", EARLIEST, count=150000, taps=1, kind="<f4", chunks=(1, 2, 1), maxshape=(None, None, 1))

# What positions mean.
with h5py.File(path("turned"), "w") as file:
    attributes(file, HEAD)
    file.create_dataset("Data.IR", data=responses(4, 16))
    rest(file, 4, delay=[[1, 2], [3, 4], [5, 6], [7, 8]])
    # Behind, left, right and above of one who looks along +y, at (0, 1, 0); the right ear comes first.
    del file["SourcePosition"]
    position = file.create_dataset("SourcePosition", data=[[0, -1, 0], [-2, 1, 0], [2, 1, 0], [0, 1, 3.0]])
    attributes(position, {"Type": "cartesian", "Units": "metre"})
    file["ListenerPosition"][:] = [[0, 1, 0]]
    file["ListenerView"][:] = [[0, 1, 0]]
    file["ReceiverPosition"][:] = [[[0.0], [-0.09], [0.0]], [[0.0], [0.09], [0.0]]]
with h5py.File(path("unwritten_delay"), "w") as file:
    attributes(file, HEAD)
    file.create_dataset("Data.IR", data=responses(4, 16))
    rest(file, 4)
    del file["Data.Delay"]
    file.create_dataset("Data.Delay", (4, 2), "f8", fillvalue=2.5)
