#include "hsm/key_store.h"

#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key_uri.h"
#include "hsm/pkcs11/session_pool.h"
#include "hsm/pkcs11/token_key.h"
#include "hsm/pkcs11/token_objects.h"
#include "hsm/software_folder.h"

namespace hourglass::hsm {
namespace {

// More sessions than any module was seen to serve well.
constexpr int kMostSessions = 1024;

struct Token {
  TokenUri uri;
  std::shared_ptr<SessionPool> pool;
};

// A key URI resolved to where its key lives.
struct TokenPlace {
  std::shared_ptr<SessionPool> pool;
  KeySelector selector;
};
struct SoftwarePlace {
  const SoftwareFolder& folder;
  std::string name;
};
using PlaceOfKey = std::variant<TokenPlace, SoftwarePlace>;

absl::Status UriRefused(absl::string_view message) {
  return Error(ErrorReason::kKeyUriInvalid, "key", message);
}

bool Selects(const TokenKeyUri& key, const TokenUri& token) {
  return key.token_label == token.label &&
         (key.token_serial.empty() || key.token_serial == token.serial);
}

class ConfiguredKeyStore final : public KeyStore {
 public:
  ConfiguredKeyStore(std::vector<Token> tokens, std::optional<SoftwareFolder> software)
      : tokens_(std::move(tokens)), software_(std::move(software)) {}

  absl::StatusOr<std::string> DefaultUri(absl::string_view name) const override {
    if (!IsKeyName(name)) {
      return UriRefused("the name must be 1 to 128 of A-Z a-z 0-9 . _ - and not begin with a dot");
    }
    if (!tokens_.empty()) {
      const TokenUri& token = tokens_[0].uri;
      return FormatKeyUri(TokenKeyUri{token.label, token.serial, std::string(name), "", "", ""});
    }
    if (software_.has_value()) return FormatKeyUri(SoftwareKeyUri{std::string(name)});
    return UriRefused("the configuration has no place for keys");
  }

  absl::StatusOr<std::string> CanonicalUri(absl::string_view uri) const override {
    ASSIGN_OR_RETURN(KeyUri parsed, ParseKeyUri(uri));
    RETURN_IF_ERROR(PlaceOf(uri).status());
    if (auto* key = std::get_if<TokenKeyUri>(&parsed)) {
      // Whether the serial number was given or not, it is the same key.
      ASSIGN_OR_RETURN(const Token* token, TokenOf(*key));
      key->token_serial = token->uri.serial;
    }
    return FormatKeyUri(parsed);
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> Generate(absl::string_view uri,
                                                       KeyType type) override {
    ASSIGN_OR_RETURN(const PlaceOfKey place, PlaceOf(uri));
    if (const auto* software = std::get_if<SoftwarePlace>(&place)) {
      return software->folder.Generate(software->name, type);
    }
    const TokenPlace& token = std::get<TokenPlace>(place);
    return GenerateTokenKey(token.pool, token.selector, type);
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> Open(absl::string_view uri) override {
    ASSIGN_OR_RETURN(const PlaceOfKey place, PlaceOf(uri));
    if (const auto* software = std::get_if<SoftwarePlace>(&place)) {
      return software->folder.Open(software->name);
    }
    const TokenPlace& token = std::get<TokenPlace>(place);
    return OpenTokenKey(token.pool, token.selector);
  }

  absl::Status Destroy(absl::string_view uri) override {
    ASSIGN_OR_RETURN(const PlaceOfKey place, PlaceOf(uri));
    if (const auto* software = std::get_if<SoftwarePlace>(&place)) {
      return software->folder.Destroy(software->name);
    }
    const TokenPlace& token = std::get<TokenPlace>(place);
    return DestroyTokenKey(*token.pool, token.selector);
  }

  std::vector<KeyStore::Place> List() override { return {}; }
  std::vector<std::pair<std::string, CustodianStatus>> Status() const override { return {}; }

 private:
  absl::StatusOr<PlaceOfKey> PlaceOf(absl::string_view text) const {
    ASSIGN_OR_RETURN(const KeyUri uri, ParseKeyUri(text));
    if (const auto* software = std::get_if<SoftwareKeyUri>(&uri)) {
      if (software_.has_value()) return SoftwarePlace{*software_, software->name};
      return UriRefused("the configuration does not allow software keys");
    }
    if (!std::holds_alternative<TokenKeyUri>(uri)) {
      return UriRefused("the configuration does not allow keys in a TPM");
    }
    const TokenKeyUri& key = std::get<TokenKeyUri>(uri);
    ASSIGN_OR_RETURN(const Token* token, TokenOf(key));
    return TokenPlace{token->pool, KeySelector{key.object, key.id}};
  }

  absl::StatusOr<const Token*> TokenOf(const TokenKeyUri& key) const {
    const Token* found = nullptr;
    for (const Token& token : tokens_) {
      if (!Selects(key, token.uri)) continue;
      if (found != nullptr) return UriRefused("several configured tokens match: give the serial");
      found = &token;
    }
    if (found == nullptr) return UriRefused("names no token of the configuration");
    if ((!key.module_path.empty() && key.module_path != found->uri.module_path) ||
        (!key.pin_source.empty() && key.pin_source != FormatPinSource(found->uri.pin_source))) {
      return UriRefused("module-path or pin-source is not that of the configuration");
    }
    return found;
  }

  const std::vector<Token> tokens_;
  const std::optional<SoftwareFolder> software_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<KeyStore>> KeyStore::Create(const KeyStoreOptions& options) {
  if (options.sessions_per_token < 1 || options.sessions_per_token > kMostSessions) {
    return Error(ErrorReason::kConfigurationInvalid, "keys.sessions_per_token",
                 absl::StrCat("must be 1 to ", kMostSessions));
  }
  SessionPool::Options pool_options;
  pool_options.sessions = options.sessions_per_token;
  std::vector<Token> tokens;
  for (const std::string& text : options.tokens) {
    const std::string field = absl::StrCat("keys.tokens[", tokens.size(), "]");
    absl::StatusOr<TokenUri> uri = ParseTokenUri(text);
    if (!uri.ok()) {
      return Error(ErrorReason::kConfigurationInvalid, field, uri.status().message());
    }
    for (const Token& other : tokens) {
      if (FormatToken(other.uri) == FormatToken(*uri)) {
        return Error(ErrorReason::kConfigurationInvalid, field, "names the token of another entry");
      }
    }
    auto pool = std::make_shared<SessionPool>(*uri, pool_options);
    tokens.push_back(Token{*std::move(uri), std::move(pool)});
  }
  std::optional<SoftwareFolder> software;
  if (!options.software_directory.empty()) {
    ASSIGN_OR_RETURN(software, SoftwareFolder::Create(options.software_directory));
  }
  return std::make_unique<ConfiguredKeyStore>(std::move(tokens), std::move(software));
}

}  // namespace hourglass::hsm
