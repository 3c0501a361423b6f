// Values in PostgreSQL's binary form.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_BINARY_PARAMETERS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_BINARY_PARAMETERS_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "issuance/store/postgresql/engine/rows.h"

namespace hourglass::issuance::postgresql {

// Object ids of types: src/include/catalog/pg_type.dat. 0 where the statement must tell the type.
inline constexpr unsigned int kBooleanType = 16, kBytesType = 17, kNameType = 19, kInt8Type = 20,
                              kInt4Type = 23, kTextType = 25, kVoidType = 2278;

// The values of one statement as libpq's functions take them. Points into the octets of the values.
class BinaryParameters {
 public:
  explicit BinaryParameters(absl::Span<const Value> values);
  BinaryParameters(const BinaryParameters&) = delete;
  BinaryParameters& operator=(const BinaryParameters&) = delete;

  int count() const { return static_cast<int>(types_.size()); }
  const unsigned int* types() const { return types_.data(); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }
  // A letter for each type: statements are prepared for these.
  const std::string& signature() const { return signature_; }

 private:
  void Add(unsigned int type, char letter, const char* octets, std::size_t length);
  void AddFixed(unsigned int type, char letter, std::uint64_t number, std::size_t length);

  std::vector<unsigned int> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  std::string signature_;
  std::vector<std::array<char, 8>> numbers_;  // what values_ points to, where it is a number
};

// Whether Rows can read every column. Errors: INTERNAL_ERROR with the column and its type.
absl::Status CheckColumnTypes(const pg_result* result);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_BINARY_PARAMETERS_H_
