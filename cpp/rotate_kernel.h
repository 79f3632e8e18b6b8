/* rotate_kernel.h: a matrix of rotate.cpp over frames, for one width of vectors.
 *
 * Included once for each instruction set, with ZG_KERNEL (the function's name), ZG_WIDTH (floats of a vector) and
 * ZG_TARGET (the attribute that lets it use them). Products are added in the order of the columns and are not fused, so
 * all give the same bits.
 */
ZG_TARGET void ZG_KERNEL(const Blend& blend, int size, const float (*x)[kGrid], float (*y)[kGrid], const float* way,
    const float* bow, int frames)
{
    typedef float Vector __attribute__((vector_size(4 * ZG_WIDTH), may_alias));
    for (int at = 0; at < frames; at += ZG_WIDTH) {
        const Vector t = *reinterpret_cast<const Vector*>(way + at);
        const Vector u = *reinterpret_cast<const Vector*>(bow + at);
        for (int row = 0; row < size; ++row) {
            const float* base = blend.base + row * size;
            Vector sum = {};
            for (int column = 0; column < size; ++column) {
                sum += base[column] * *reinterpret_cast<const Vector*>(x[column] + at);
            }
            if (blend.slope != nullptr) {
                const float* slope = blend.slope + row * size;
                Vector more = {};
                for (int column = 0; column < size; ++column) {
                    more += slope[column] * *reinterpret_cast<const Vector*>(x[column] + at);
                }
                sum += t * more;
            }
            if (blend.bend != nullptr) {
                const float* bend = blend.bend + row * size;
                Vector more = {};
                for (int column = 0; column < size; ++column) {
                    more += bend[column] * *reinterpret_cast<const Vector*>(x[column] + at);
                }
                sum += u * more;
            }
            *reinterpret_cast<Vector*>(y[row] + at) = sum;
        }
    }
}
