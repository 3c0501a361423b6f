#include "issuance/store/postgresql/engine/rows.h"

#include <libpq-fe.h>

#include <cstddef>

#include "absl/strings/numbers.h"

namespace hourglass::issuance::postgresql {
namespace {

// Two's complement, of at most eight octets.
std::int64_t IntegerOf(absl::string_view octets) {
  const bool is_negative = octets.size() > 1 && (octets.front() & 0x80) != 0;
  std::uint64_t number = is_negative ? ~std::uint64_t{0} : 0;
  for (const char octet : octets) number = number << 8 | static_cast<unsigned char>(octet);
  return static_cast<std::int64_t>(number);
}

}  // namespace

bool Rows::Next() {
  column_ = 0;
  if (row_ + 1 >= PQntuples(result_.get())) return false;
  ++row_;
  return true;
}

std::int64_t Rows::count() const {
  std::int64_t count = 0;
  return absl::SimpleAtoi(PQcmdTuples(result_.get()), &count) ? count : 0;
}

std::optional<absl::string_view> Rows::TakeColumn() {
  const int column = column_++;
  if (PQgetisnull(result_.get(), row_, column) != 0) return std::nullopt;
  return absl::string_view(PQgetvalue(result_.get(), row_, column),
                           static_cast<std::size_t>(PQgetlength(result_.get(), row_, column)));
}

std::int64_t Rows::TakeInteger() { return TakeOptionalInteger().value_or(0); }

std::optional<std::int64_t> Rows::TakeOptionalInteger() {
  const std::optional<absl::string_view> octets = TakeColumn();
  if (!octets.has_value()) return std::nullopt;
  return IntegerOf(*octets);
}

bool Rows::TakeBoolean() { return TakeInteger() != 0; }

std::string Rows::TakeOctets() { return std::string(TakeColumn().value_or("")); }

}  // namespace hourglass::issuance::postgresql
