// Typed members of JSON objects, each taken once, and what is left over.
#ifndef HOURGLASS_ISSUANCE_ACCESS_GRAPH_MEMBERS_H_
#define HOURGLASS_ISSUANCE_ACCESS_GRAPH_MEMBERS_H_

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "issuance/access/graph/graph_json.h"
#include "issuance/access/policy.h"
#include "issuance/access/terms.h"

namespace hourglass::access {

// What is wrong with a document, with its paths.
class Mistakes {
 public:
  void Add(absl::string_view path, absl::string_view message);

  // OK without any; otherwise FIELD_INVALID at the first path, with a line for each.
  absl::Status Finish() const;

 private:
  std::string first_path_;
  std::string first_;
  std::vector<std::string> more_;
};

// The members of one object. One that is null or not there reads as nullopt, "" or empty; so does
// one of another type, which is a mistake. The object and the mistakes must outlive this.
class Members {
 public:
  // `object` that is null has no members. One of another type is a mistake.
  Members(const Json* object, std::string path, Mistakes* mistakes);

  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view name) const;

  // Null where it is not there, or JSON's null.
  const Json* Take(absl::string_view name);
  bool Has(absl::string_view name) const;

  std::string Text(absl::string_view name);
  // A mistake where it is empty, too.
  std::string RequiredText(absl::string_view name);
  std::optional<bool> Flag(absl::string_view name);
  std::optional<int> Number(absl::string_view name);
  std::vector<std::string> Texts(absl::string_view name);
  // RFC 3339; what is none, such as the /Date(…)/ of older PowerShell, reads as "".
  std::string Time(absl::string_view name);

  // The object of this name, of which nullopt is absent.
  std::optional<Members> Object(absl::string_view name);
  // A mistake where it is absent; without members then.
  Members RequiredObject(absl::string_view name);
  std::vector<Members> Objects(absl::string_view name);

  template <typename Enum>
  std::optional<Enum> Term(absl::string_view name) {
    return FromGraphName<Enum>(Text(name));
  }

  // Of a list, of a text with commas, or of a list of such texts.
  template <typename Enum>
  TermList<Enum> Terms(absl::string_view name) {
    TermList<Enum> terms;
    for (std::string& text : ListOrCommas(name)) {
      const std::optional<Enum> value = FromGraphName<Enum>(text);
      if (value.has_value()) {
        terms.values.push_back(*value);
      } else {
        terms.not_understood.push_back(std::move(text));
      }
    }
    return terms;
  }

  // Known, and of no consequence.
  void Pass(std::initializer_list<absl::string_view> names);

  // What was not taken and says something: not null, "", [] nor {}, and no annotation (`@odata…`).
  OtherMembers Rest() const;

  void Mistake(absl::string_view name, absl::string_view message);

 private:
  std::vector<std::string> ListOrCommas(absl::string_view name);
  const Json* TakeList(absl::string_view name);

  const Json* object_;
  std::string path_;
  Mistakes* mistakes_;
  std::set<std::string> taken_;
};

// A value as one line of JSON.
std::string CompactJson(const Json& json);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_GRAPH_MEMBERS_H_
