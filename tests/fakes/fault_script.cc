#include "tests/fakes/fault_script.h"

#include <signal.h>

#include <cerrno>
#include <cstdlib>
#include <sstream>

namespace hourglass {
namespace {

constexpr const char* kFunctionNames[kFunctions] = {
#define HOURGLASS_FUNCTION_NAME(name) #name,
    HOURGLASS_EACH_CRYPTOKI_FUNCTION(HOURGLASS_FUNCTION_NAME)
#undef HOURGLASS_FUNCTION_NAME
        "*"};

struct NamedValue {
  const char* name;
  std::uint64_t value;
};

#define CODE(name) \
  { #name, name }
constexpr NamedValue kCodes[] = {
    CODE(CKR_OK),
    CODE(CKR_CANCEL),
    CODE(CKR_HOST_MEMORY),
    CODE(CKR_SLOT_ID_INVALID),
    CODE(CKR_GENERAL_ERROR),
    CODE(CKR_FUNCTION_FAILED),
    CODE(CKR_ARGUMENTS_BAD),
    CODE(CKR_NO_EVENT),
    CODE(CKR_NEED_TO_CREATE_THREADS),
    CODE(CKR_CANT_LOCK),
    CODE(CKR_ATTRIBUTE_READ_ONLY),
    CODE(CKR_ATTRIBUTE_SENSITIVE),
    CODE(CKR_ATTRIBUTE_TYPE_INVALID),
    CODE(CKR_ATTRIBUTE_VALUE_INVALID),
    CODE(CKR_ACTION_PROHIBITED),
    CODE(CKR_DATA_INVALID),
    CODE(CKR_DATA_LEN_RANGE),
    CODE(CKR_DEVICE_ERROR),
    CODE(CKR_DEVICE_MEMORY),
    CODE(CKR_DEVICE_REMOVED),
    CODE(CKR_ENCRYPTED_DATA_INVALID),
    CODE(CKR_ENCRYPTED_DATA_LEN_RANGE),
    CODE(CKR_FUNCTION_CANCELED),
    CODE(CKR_FUNCTION_NOT_PARALLEL),
    CODE(CKR_FUNCTION_NOT_SUPPORTED),
    CODE(CKR_KEY_HANDLE_INVALID),
    CODE(CKR_KEY_SIZE_RANGE),
    CODE(CKR_KEY_TYPE_INCONSISTENT),
    CODE(CKR_KEY_NOT_NEEDED),
    CODE(CKR_KEY_CHANGED),
    CODE(CKR_KEY_NEEDED),
    CODE(CKR_KEY_INDIGESTIBLE),
    CODE(CKR_KEY_FUNCTION_NOT_PERMITTED),
    CODE(CKR_KEY_NOT_WRAPPABLE),
    CODE(CKR_KEY_UNEXTRACTABLE),
    CODE(CKR_MECHANISM_INVALID),
    CODE(CKR_MECHANISM_PARAM_INVALID),
    CODE(CKR_OBJECT_HANDLE_INVALID),
    CODE(CKR_OPERATION_ACTIVE),
    CODE(CKR_OPERATION_NOT_INITIALIZED),
    CODE(CKR_PIN_INCORRECT),
    CODE(CKR_PIN_INVALID),
    CODE(CKR_PIN_LEN_RANGE),
    CODE(CKR_PIN_EXPIRED),
    CODE(CKR_PIN_LOCKED),
    CODE(CKR_SESSION_CLOSED),
    CODE(CKR_SESSION_COUNT),
    CODE(CKR_SESSION_HANDLE_INVALID),
    CODE(CKR_SESSION_PARALLEL_NOT_SUPPORTED),
    CODE(CKR_SESSION_READ_ONLY),
    CODE(CKR_SESSION_EXISTS),
    CODE(CKR_SESSION_READ_ONLY_EXISTS),
    CODE(CKR_SESSION_READ_WRITE_SO_EXISTS),
    CODE(CKR_SIGNATURE_INVALID),
    CODE(CKR_SIGNATURE_LEN_RANGE),
    CODE(CKR_TEMPLATE_INCOMPLETE),
    CODE(CKR_TEMPLATE_INCONSISTENT),
    CODE(CKR_TOKEN_NOT_PRESENT),
    CODE(CKR_TOKEN_NOT_RECOGNIZED),
    CODE(CKR_TOKEN_WRITE_PROTECTED),
    CODE(CKR_UNWRAPPING_KEY_SIZE_RANGE),
    CODE(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT),
    CODE(CKR_USER_ALREADY_LOGGED_IN),
    CODE(CKR_USER_NOT_LOGGED_IN),
    CODE(CKR_USER_PIN_NOT_INITIALIZED),
    CODE(CKR_USER_TYPE_INVALID),
    CODE(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
    CODE(CKR_USER_TOO_MANY_TYPES),
    CODE(CKR_WRAPPED_KEY_INVALID),
    CODE(CKR_WRAPPED_KEY_LEN_RANGE),
    CODE(CKR_WRAPPING_KEY_HANDLE_INVALID),
    CODE(CKR_WRAPPING_KEY_SIZE_RANGE),
    CODE(CKR_WRAPPING_KEY_TYPE_INCONSISTENT),
    CODE(CKR_RANDOM_SEED_NOT_SUPPORTED),
    CODE(CKR_RANDOM_NO_RNG),
    CODE(CKR_DOMAIN_PARAMS_INVALID),
    CODE(CKR_CURVE_NOT_SUPPORTED),
    CODE(CKR_BUFFER_TOO_SMALL),
    CODE(CKR_SAVED_STATE_INVALID),
    CODE(CKR_INFORMATION_SENSITIVE),
    CODE(CKR_STATE_UNSAVEABLE),
    CODE(CKR_CRYPTOKI_NOT_INITIALIZED),
    CODE(CKR_CRYPTOKI_ALREADY_INITIALIZED),
    CODE(CKR_MUTEX_BAD),
    CODE(CKR_MUTEX_NOT_LOCKED),
    CODE(CKR_NEW_PIN_MODE),
    CODE(CKR_NEXT_OTP),
    CODE(CKR_EXCEEDED_MAX_ITERATIONS),
    CODE(CKR_FIPS_SELF_TEST_FAILED),
    CODE(CKR_LIBRARY_LOAD_FAILED),
    CODE(CKR_PIN_TOO_WEAK),
    CODE(CKR_PUBLIC_KEY_INVALID),
    CODE(CKR_FUNCTION_REJECTED),
};
constexpr NamedValue kSignals[] = {CODE(SIGABRT), CODE(SIGBUS),  CODE(SIGFPE),
                                   CODE(SIGILL),  CODE(SIGKILL), CODE(SIGSEGV)};
#undef CODE

template <std::size_t kSize>
bool Lookup(const NamedValue (&table)[kSize], const std::string& name, std::uint64_t& value) {
  for (const NamedValue& row : table) {
    if (name == row.name) {
      value = row.value;
      return true;
    }
  }
  return false;
}

// Decimal, or hexadecimal after 0x; nothing else.
bool ParseNumber(const std::string& text, std::uint64_t& value) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  const bool hexadecimal = text.rfind("0x", 0) == 0;
  char* end = nullptr;
  errno = 0;
  value = std::strtoull(text.c_str(), &end, hexadecimal ? 16 : 10);
  return errno == 0 && *end == '\0';
}

bool ParseMilliseconds(const std::string& text, std::uint64_t& value) {
  return text.size() > 2 && text.compare(text.size() - 2, 2, "ms") == 0 &&
         ParseNumber(text.substr(0, text.size() - 2), value);
}

bool ParseFunction(const std::string& text, Function& function) {
  for (std::size_t i = 0; i < kFunctions; ++i) {
    if (text != kFunctionNames[i]) continue;
    function = static_cast<Function>(i);
    return true;
  }
  return false;
}

bool HasLength(Function function) {
  return function == Function::kC_Sign || function == Function::kC_GetAttributeValue ||
         function == Function::kC_FindObjects || function == Function::kC_GetSlotList;
}

// The verb with its argument, which must make sense for rule.function.
bool ParseVerb(const std::string& verb, const std::string& argument, FaultRule& rule) {
  rule.argument = 0;
  if (verb == "return") {
    rule.verb = Verb::kReturn;
    return Lookup(kCodes, argument, rule.argument) || ParseNumber(argument, rule.argument);
  }
  if (verb == "delay") {
    rule.verb = Verb::kDelay;
    return ParseMilliseconds(argument, rule.argument);
  }
  if (verb == "crash") {
    rule.verb = Verb::kCrash;
    return Lookup(kSignals, argument, rule.argument);
  }
  if (verb == "renumber") {
    rule.verb = Verb::kRenumber;
    return ParseNumber(argument, rule.argument);
  }
  if (verb == "length") {
    rule.verb = Verb::kLength;
    return HasLength(rule.function) && ParseNumber(argument, rule.argument);
  }
  if (!argument.empty()) return false;
  if (verb == "wrong-signature") {
    rule.verb = Verb::kWrongSignature;
    return rule.function == Function::kC_Sign;
  }
  rule.verb = verb == "hang"             ? Verb::kHang
              : verb == "stall"          ? Verb::kStall
              : verb == "forget-login"   ? Verb::kForgetLogin
              : verb == "close-sessions" ? Verb::kCloseSessions
                                         : Verb::kReturn;
  const bool any = rule.function == Function::kAny;
  if (rule.verb == Verb::kForgetLogin) return any || TakesSession(rule.function);
  if (rule.verb == Verb::kCloseSessions) {
    return any || TakesSession(rule.function) || TakesSlot(rule.function);
  }
  return rule.verb != Verb::kReturn;
}

bool ParseRule(std::istringstream& words, const std::string& function, FaultRule& rule) {
  std::string nth, verb, argument, more;
  words >> nth >> verb >> argument >> more;
  if (!more.empty() || !ParseFunction(function, rule.function)) return false;
  std::uint64_t number = 0;
  if (nth != "*" && (!ParseNumber(nth, number) || number == 0 || number > UINT32_MAX)) return false;
  rule.nth = static_cast<std::uint32_t>(number);
  return ParseVerb(verb, argument, rule);
}

}  // namespace

const char* FunctionName(Function function) {
  return kFunctionNames[static_cast<std::size_t>(function)];
}

bool ParseFaultScript(const std::string& text, FaultScript& script, std::string& mistake) {
  script = {};
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first.empty() || first[0] == '#') continue;
    if (first == "module") {
      std::string path;
      std::getline(words >> std::ws, path);
      script.module_path = path;
      if (!path.empty()) continue;
    }
    FaultRule rule;
    if (!ParseRule(words, first, rule)) {
      mistake = "line not understood: " + line;
      return false;
    }
    script.rules.push_back(rule);
  }
  return true;
}

}  // namespace hourglass
