#include "issuance/store/postgresql/engine/binary_parameters.h"

#include <libpq-fe.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::issuance::postgresql {
namespace {

constexpr int kBinary = 1;
constexpr unsigned int kReadableTypes[] = {kBooleanType, kBytesType, kNameType, kInt8Type,
                                           kInt4Type,    kTextType,  kVoidType};

}  // namespace

BinaryParameters::BinaryParameters(absl::Span<const Value> values) {
  // Never moves: values_ points into it.
  numbers_.reserve(values.size());
  for (const Value& value : values) {
    if (const bool* boolean = std::get_if<bool>(&value)) {
      AddFixed(kBooleanType, 'b', *boolean ? 1 : 0, 1);
    } else if (const std::int64_t* integer = std::get_if<std::int64_t>(&value)) {
      AddFixed(kInt8Type, 'i', static_cast<std::uint64_t>(*integer), sizeof(*integer));
    } else if (const Text* text = std::get_if<Text>(&value)) {
      Add(kTextType, 't', text->octets.data(), text->octets.size());
    } else if (const Blob* blob = std::get_if<Blob>(&value)) {
      Add(kBytesType, 'o', blob->octets.data(), blob->octets.size());
    } else {
      Add(0, 'n', nullptr, 0);
      values_.back() = nullptr;
    }
  }
}

void BinaryParameters::Add(unsigned int type, char letter, const char* octets, std::size_t length) {
  types_.push_back(type);
  // A null pointer would be NULL, and is what an empty string_view may have.
  values_.push_back(octets == nullptr ? "" : octets);
  lengths_.push_back(static_cast<int>(length));
  formats_.push_back(kBinary);
  signature_.push_back(letter);
}

void BinaryParameters::AddFixed(unsigned int type, char letter, std::uint64_t number,
                                std::size_t length) {
  std::array<char, 8>& octets = numbers_.emplace_back();
  for (std::size_t i = 0; i < length; ++i) {
    octets[i] = static_cast<char>(number >> (8 * (length - 1 - i)));
  }
  Add(type, letter, octets.data(), length);
}

absl::Status CheckColumnTypes(const pg_result* result) {
  for (int column = 0; column < PQnfields(result); ++column) {
    const unsigned int type = PQftype(result, column);
    if (std::find(std::begin(kReadableTypes), std::end(kReadableTypes), type) ==
        std::end(kReadableTypes)) {
      return Error(ErrorReason::kInternalError, "",
                   absl::StrCat("database: column ", PQfname(result, column), " is of type ", type,
                                ", which cannot be read"));
    }
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance::postgresql
