#include "issuance/config/identity_config.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "issuance/base/file_trust.h"
#include "issuance/config/tls_files.h"
#include "issuance/tokens/guid.h"
#include "issuance/tokens/https_fetch.h"
#include "issuance/tokens/key_set.h"
#include "issuance/yaml/file.h"

namespace hourglass::issuance {
namespace {

using yaml::Mapping;

constexpr absl::string_view kSources[] = {"asserted_by_broker", "access_token"};
constexpr absl::string_view kReuses[] = {"never", "same_caller"};
constexpr std::size_t kMaxListed = 64;
constexpr std::size_t kMaxText = 256;  // what a claim may have: kMaxClaimText
constexpr char kDirectory[] = "directory";
constexpr char kIssuers[] = "issuers";
constexpr char kBrokers[] = "brokers";
constexpr char kAlgorithms[] = "algorithms";

// The list of this name without what is wrong; a mistake where it is not there, though `required`.
std::vector<std::string> ReadTexts(Mapping fields, const char* name, bool required) {
  if (required && !fields.Has(name)) fields.Mistake(name, "is missing");
  std::vector<std::string> texts = fields.Strings(name);
  if (texts.size() > kMaxListed) {
    fields.Mistake(name, absl::StrCat("must be at most ", kMaxListed, " values"));
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() > kMaxText) {
      fields.ItemMistake(name, i, absl::StrCat("must be at most ", kMaxText, " octets"));
    } else if (!seen.insert(texts[i]).second) {
      fields.ItemMistake(name, i, "is listed twice");
    }
  }
  return texts;
}

std::string ReadDirectory(Mapping fields) {
  const std::string written = fields.RequiredString(kDirectory);
  std::string guid = CanonicalGuid(written);
  if (guid.empty() && !written.empty()) {
    fields.Mistake(kDirectory, "must be the directory's (tenant's) id, a GUID");
  }
  return guid;
}

std::vector<std::string> ReadIssuers(Mapping fields, const std::string& directory) {
  if (!fields.Has(kIssuers)) return EntraIssuers(directory);
  std::vector<std::string> issuers = ReadTexts(fields, kIssuers, false);
  for (std::size_t i = 0; i < issuers.size(); ++i) {
    if (const std::string mistake = MistakeInHttpsUrl(issuers[i]); !mistake.empty()) {
      fields.ItemMistake(kIssuers, i, mistake);
      continue;
    }
    const std::vector<absl::string_view> segments = absl::StrSplit(issuers[i], '/');
    if (!directory.empty() &&
        std::find(segments.begin() + 3, segments.end(), directory) == segments.end()) {
      fields.ItemMistake(kIssuers, i,
                         "must have the directory in its path, in small letters, between slashes");
    }
  }
  return issuers;
}

std::vector<std::string> ReadBrokers(Mapping fields) {
  std::vector<std::string> brokers = ReadTexts(fields, kBrokers, true);
  for (std::size_t i = 0; i < brokers.size(); ++i) {
    std::string guid = CanonicalGuid(brokers[i]);
    if (guid.empty()) {
      fields.ItemMistake(kBrokers, i, "must be the id of an application, a GUID");
    }
    brokers[i] = std::move(guid);
  }
  return brokers;
}

// `scp` is a row of words.
std::vector<std::string> ReadScopes(Mapping fields) {
  std::vector<std::string> scopes = ReadTexts(fields, "scopes", true);
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    if (absl::StrContains(scopes[i], ' ')) {
      fields.ItemMistake("scopes", i, "must be one word, as scp has it");
    } else if (absl::StrContains(scopes[i], '/')) {
      fields.ItemMistake("scopes", i, "must be the scope alone, without the id of the application");
    }
  }
  return scopes;
}

std::vector<TokenAlgorithm> ReadAlgorithms(Mapping fields) {
  const std::vector<std::string> names = ReadTexts(fields, kAlgorithms, false);
  std::vector<TokenAlgorithm> algorithms;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto algorithm = ParseTokenAlgorithm(names[i]);
    if (algorithm.has_value()) {
      algorithms.push_back(*algorithm);
    } else {
      fields.ItemMistake(kAlgorithms, i,
                         absl::StrCat("must be ", absl::StrJoin(kTokenAlgorithmNames, ", ")));
    }
  }
  return algorithms.empty() ? TokenRules().algorithms : algorithms;
}

void CheckKeySetFile(const std::string& path, Mapping fields) {
  const auto text = yaml::ReadDocument(path);
  if (!text.ok()) {
    fields.Mistake("file", "cannot be read, or is no file, or is too large");
    return;
  }
  if (const std::string mistake = MistakeInTrust(path); !mistake.empty()) {
    fields.Mistake("file", mistake);
  }
  const auto keys = KeySet::Parse(*text);
  if (!keys.ok()) fields.Mistake("file", keys.status().message());
}

KeySetLocation ReadKeySet(Mapping fields, FileChecks checks, Timestamp now) {
  KeySetLocation keys;
  if (fields.Has("file") == fields.Has("url")) {
    fields.Mistake("", "must have either file or url");
  }
  keys.file = fields.Path("file").value_or("");
  keys.url = fields.String("url").value_or("");
  keys.ca_file = fields.Path("ca_file").value_or("");
  keys.refresh = fields.Seconds("refresh", std::chrono::minutes(5), std::chrono::hours(24 * 7))
                     .value_or(keys.refresh);
  if (const std::string mistake = keys.url.empty() ? "" : MistakeInHttpsUrl(keys.url);
      !mistake.empty()) {
    fields.Mistake("url", mistake);
  }
  for (const char* name : {"ca_file", "refresh"}) {
    if (fields.Has("file") && fields.Has(name)) {
      fields.Mistake(name, "belongs to url, which is not given");
    }
  }
  if (checks == FileChecks::kNone) return keys;
  if (!keys.file.empty()) CheckKeySetFile(keys.file, fields);
  CheckTlsFiles({.certificate = "", .private_key = "", .trusted_roots = keys.ca_file},
                TlsSide::kClient, checks == FileChecks::kAll ? std::optional(now) : std::nullopt,
                fields, {.trusted_roots = "ca_file"});
  return keys;
}

AccessTokenConfig ReadAccessToken(Mapping fields, FileChecks checks, Timestamp now) {
  AccessTokenConfig config;
  TokenRules& rules = config.rules;
  rules.directory_id = ReadDirectory(fields);
  rules.issuers = ReadIssuers(fields, rules.directory_id);
  rules.audiences = ReadTexts(fields, "audiences", true);
  rules.client_ids = ReadBrokers(fields);
  rules.scopes = ReadScopes(fields);
  rules.algorithms = ReadAlgorithms(fields);
  rules.clock_skew = fields.Seconds("clock_skew", std::chrono::seconds(0), kMaxTokenSkew)
                         .value_or(rules.clock_skew);
  rules.max_lifetime =
      fields.Seconds("max_lifetime", std::chrono::minutes(5), std::chrono::hours(24 * 7))
          .value_or(rules.max_lifetime);
  rules.sender_constrained = fields.Bool("sender_constrained").value_or(rules.sender_constrained);
  if (fields.Choice("reuse", kReuses) == "same_caller") {
    config.uses.reuse = TokenReuse::kSameCaller;
  }
  config.uses.capacity =
      static_cast<std::size_t>(fields.Integer("remembered", 1000, 10'000'000)
                                   .value_or(static_cast<int>(config.uses.capacity)));
  config.keys = ReadKeySet(fields.Required("keys"), checks, now);
  return config;
}

}  // namespace

std::vector<std::string> EntraIssuers(const std::string& directory_id) {
  return {absl::StrCat("https://login.microsoftonline.com/", directory_id, "/v2.0"),
          absl::StrCat("https://sts.windows.net/", directory_id, "/")};
}

IdentityConfig ReadIdentity(Mapping tenant, FileChecks checks, Timestamp now) {
  IdentityConfig config;
  if (tenant.Choice("identity", kSources) != "access_token") {
    if (tenant.Has("access_token")) {
      tenant.Mistake("access_token", "does nothing unless identity is access_token");
      static_cast<void>(ReadAccessToken(tenant.Optional("access_token"), checks, now));
    }
    return config;
  }
  config.access_token = ReadAccessToken(tenant.Required("access_token"), checks, now);
  return config;
}

}  // namespace hourglass::issuance
