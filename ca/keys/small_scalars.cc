#include "ca/keys/small_scalars.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hsm/base/openssl.h"

namespace hourglass::ca {
namespace {

using GroupPtr = OpensslPtr<EC_GROUP, EC_GROUP_free>;
using PointPtr = OpensslPtr<EC_POINT, EC_POINT_free>;
using ContextPtr = OpensslPtr<BN_CTX, BN_CTX_free>;

// The end of a coordinate stands for all of it: a sound point has one of these ends by chance once
// in 2^53.
constexpr std::size_t kEndSize = 8;

std::uint64_t EndOf(absl::string_view coordinate) {
  std::uint64_t end = 0;
  for (const char c : coordinate.substr(coordinate.size() - kEndSize)) {
    end = end << 8 | static_cast<std::uint8_t>(c);
  }
  return end;
}

// The ends of the x coordinates, which d and -d share, sorted. Empty where OpenSSL fails.
std::vector<std::uint64_t> ComputeEnds(int curve) {
  const GroupPtr group(EC_GROUP_new_by_curve_name(curve));
  const ContextPtr context(BN_CTX_new());
  if (group == nullptr || context == nullptr) return {};
  const PointPtr point(EC_POINT_dup(EC_GROUP_get0_generator(group.get()), group.get()));
  const BignumPtr x(BN_new());
  std::vector<std::uint64_t> ends;
  const auto take = [&] {
    std::string octets(kEndSize, '\0');
    if (EC_POINT_get_affine_coordinates(group.get(), point.get(), x.get(), nullptr,
                                        context.get()) != 1 ||
        BN_mask_bits(x.get(), static_cast<int>(kEndSize) * 8) != 1 ||
        BN_bn2binpad(x.get(), reinterpret_cast<unsigned char*>(octets.data()),
                     static_cast<int>(octets.size())) < 0) {
      return false;
    }
    ends.push_back(EndOf(octets));
    return true;
  };
  for (int d = 1; d <= kLargestSmallScalar; ++d) {
    if (!take() || EC_POINT_add(group.get(), point.get(), point.get(),
                                EC_GROUP_get0_generator(group.get()), context.get()) != 1) {
      return {};
    }
  }
  EC_POINT_copy(point.get(), EC_GROUP_get0_generator(group.get()));
  for (int bit = 1; bit < EC_GROUP_order_bits(group.get()); ++bit) {
    if (EC_POINT_dbl(group.get(), point.get(), point.get(), context.get()) != 1 || !take()) {
      return {};
    }
  }
  std::sort(ends.begin(), ends.end());
  return ends;
}

}  // namespace

bool HasSmallScalar(PublicKeyKind curve, absl::string_view point) {
  static const auto* const p256 = new std::vector<std::uint64_t>(ComputeEnds(NID_X9_62_prime256v1));
  static const auto* const p384 = new std::vector<std::uint64_t>(ComputeEnds(NID_secp384r1));
  const std::vector<std::uint64_t>& ends = curve == PublicKeyKind::kEcP256 ? *p256 : *p384;
  // Behind 04, x and y of the same length.
  const absl::string_view x = point.substr(1, (point.size() - 1) / 2);
  return std::binary_search(ends.begin(), ends.end(), EndOf(x));
}

}  // namespace hourglass::ca
