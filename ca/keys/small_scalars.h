// Points whose private scalars are small numbers.
#ifndef HOURGLASS_CA_KEYS_SMALL_SCALARS_H_
#define HOURGLASS_CA_KEYS_SMALL_SCALARS_H_

#include "absl/strings/string_view.h"
#include "ca/keys/public_key.h"

namespace hourglass::ca {

// Scalars from 1 to this, and what is as far below the order of the curve.
inline constexpr int kLargestSmallScalar = 1024;

// Whether the uncompressed `point` of the curve is d or -d times its base point, for a d up to
// kLargestSmallScalar or a power of two. The first call for each curve computes these points, which
// takes some milliseconds. Safe to call from several threads.
bool HasSmallScalar(PublicKeyKind curve, absl::string_view point);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_KEYS_SMALL_SCALARS_H_
