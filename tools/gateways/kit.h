// What sets up one kind of gateway for a tenant: files, written from what a tenant is and what an
// administrator gives.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KIT_H_
#define HOURGLASS_TOOLS_GATEWAYS_KIT_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::gateways {

// A root as gateways get it.
struct KitRoot {
  std::string root_id;          // `r2`: lower-case letters, digits and `-`
  std::string name;             // its CN; any UTF-8 that a root may be named
  std::string pem;              // RFC 7468, ended by a newline
  std::string der;              // the same certificate
  std::string sha1_thumbprint;  // 40 upper-case hexadecimal digits
  bool is_primary = false;
};

// What a kit is written for.
struct KitSubject {
  std::string tenant_id;       // lower-case letters, digits and `-`
  std::string server;          // `HOST:PORT` of hourglassd, as gateways reach it
  std::vector<KitRoot> roots;  // the live ones, the primary first; never empty
};

// A value that an administrator gives by `--set NAME=VALUE`.
struct KitValue {
  absl::string_view name;   // lower-case letters, digits and `_`
  absl::string_view words;  // what it is, for --help and for whoever left it out
  // What holds where it is not given. Empty: it must be given, for nobody can guess it. `-`: none
  // is needed, and it is empty then.
  absl::string_view fallback;
  // A secret: better given by --set-file than on a command line, and never in a message.
  bool is_secret = false;
};

struct KitFile {
  std::string path;  // relative, with `/`; no part of it is `.` or `..`
  std::string content;
  bool is_secret = false;      // mode 0600
  bool is_executable = false;  // mode 0755; 0644 where it is neither
};

// Complete: each value of the kit is there, given or by its fallback.
using Values = std::map<std::string, std::string, std::less<>>;

// One kind. The files are complete: configuration, roots, the follower of the trust bundle
// (tools/gateways/follower.h) and a README of five lines.
struct Kit {
  absl::string_view kind;   // `nginx`
  absl::string_view words;  // what it sets up, in half a line
  // Its own values; behind these it has CommonValues().
  absl::Span<const KitValue> values;
  // Pure: the same subject and values give the same files, in the same order. What a value may be
  // is this function's to check: it is escaped for the program that reads it, or refused by
  // tools/gateways/kit_values.h, FIELD_INVALID with the value's name as the field.
  absl::StatusOr<std::vector<KitFile>> (*write)(const KitSubject& subject, const Values& values);
};

// What every kit has: where the follower has its credentials.
absl::Span<const KitValue> CommonValues();

// All kinds, in the order of `--help`. Lives as long as the process.
absl::Span<const Kit* const> Kits();

// Null where there is none.
const Kit* FindKit(absl::string_view kind);

// What was given, completed by fallbacks. Errors: FIELD_INVALID for a name that the kit has not,
// with those that it has; FIELD_MISSING that names every value that must be given and was not, each
// with its words; never a value.
absl::StatusOr<Values> CompleteValues(const Kit& kit, Values given);

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KIT_H_
