// Reasons of a deny in words and in JSON.
#ifndef HOURGLASS_TOOLS_HOURGLASS_REFUSAL_WORDS_H_
#define HOURGLASS_TOOLS_HOURGLASS_REFUSAL_WORDS_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <string>

#include "hourglass/v1/error.pb.h"
#include "tools/client/failure.h"

namespace hourglass::cli {

using Reasons = google::protobuf::RepeatedPtrField<v1::DenyReason>;

// [{"setting", "message", "remediation_url"}], the last where there is one.
client::Json ReasonsAsJson(const Reasons& reasons);

// `disk_encryption.enabled, antivirus.enabled`.
std::string SettingsIn(const Reasons& reasons);

// A line each, with its setting and, on the next, its remediation URL.
std::string ReasonsInWords(const Reasons& reasons);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_REFUSAL_WORDS_H_
