// What a PKCS#11 module has, asked in a process of its own: a module that crashes or hangs takes
// nothing with it.
#ifndef HOURGLASS_TOOLS_HOURGLASS_KEYS_MODULE_INVENTORY_H_
#define HOURGLASS_TOOLS_HOURGLASS_KEYS_MODULE_INVENTORY_H_

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/client/failure.h"

namespace hourglass::cli {

// The first argument of the process that TakeInventory starts from this very program.
inline constexpr char kInventoryArgument[] = "inventory-of-a-module";

// {"module": {"path", "library", "manufacturer", "version", "cryptoki_version", "slots":
// [{"slot_id", "description", "token": {…}}]}} of hsm/pkcs11/token_inventory.h; with `token_uri`
// also "keys":
// [{"label", "id" (hexadecimal), "attributes": {"CKA_SENSITIVE": true, …}}] after one login.
// Errors: KEY_UNAVAILABLE, also where the process crashed or gave no answer within `deadline`;
// PIN_REFUSED.
absl::StatusOr<client::Json> TakeInventory(const std::string& module_path,
                                           const std::string& token_uri,
                                           std::chrono::milliseconds deadline);

// The started process: `arguments` are those behind kInventoryArgument. Writes its answer to
// descriptor 3 and ends without return (_exit: modules crash when finalised).
[[noreturn]] void ServeInventory(int count, char** arguments);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_KEYS_MODULE_INVENTORY_H_
