#include "tools/profiles/deployment.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace hourglass::profiles {
namespace {

// RFC 3986 section 2.3: all others become %XX, so that what is left means nothing to any shell.
std::string PercentEncoded(absl::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(octet) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", octet);
    }
  }
  return encoded;
}

constexpr absl::string_view kUserContext = R"(
# The profile belongs to whoever is logged on at the console.
$user = (Get-CimInstance -ClassName Win32_ComputerSystem).UserName
if (-not $user) { throw 'Nobody is logged on at the console.' }
$account = New-Object System.Security.Principal.NTAccount($user)
$sid = $account.Translate([System.Security.Principal.SecurityIdentifier]).Value
$options.SetCustomOption('PolicyPlatformContext_PrincipalContext_Type', 'PolicyPlatform_UserContext', $false)
$options.SetCustomOption('PolicyPlatformContext_PrincipalContext_Id', $sid, $false)
)";

constexpr absl::string_view kInstall = R"(
# A profile that is there already cannot be changed: it goes first.
foreach ($old in @($session.EnumerateInstances($namespace, $class, $options))) {
    if ($old.InstanceID -eq $instance) { $session.DeleteInstance($namespace, $old, $options) }
}

# The bridge takes ProfileXML escaped, exactly once.
$escaped = [System.Security.SecurityElement]::Escape($profileXml)
$new = New-Object Microsoft.Management.Infrastructure.CimInstance $class, $namespace
foreach ($property in @(
        @('ParentID', './Vendor/MSFT/VPNv2', 'Key'),
        @('InstanceID', $instance, 'Key'),
        @('ProfileXML', $escaped, 'Property'))) {
    $new.CimInstanceProperties.Add([Microsoft.Management.Infrastructure.CimProperty]::Create(
            $property[0], $property[1], 'String', $property[2]))
}
$null = $session.CreateInstance($namespace, $new, $options)
Write-Output "Installed $instance"
)";

}  // namespace

std::string OmaUri(absl::string_view name, bool is_device_tunnel) {
  return absl::StrCat("./", is_device_tunnel ? "Device" : "User", "/Vendor/MSFT/VPNv2/",
                      PercentEncoded(name), "/ProfileXML");
}

std::string OmaUriValue(absl::string_view xml) {
  return absl::StrReplaceAll(xml, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::string InstallScript(absl::string_view name, absl::string_view xml, bool is_device_tunnel) {
  // In a here-string with single quotes nothing has a meaning but `'@` at the begin of a line, and
  // each line of the profile begins with a tag.
  return absl::StrCat(
      "# Installs a VPN profile through the MDM bridge. Run it as SYSTEM, in 64-bit Windows\n"
      "# PowerShell: by Intune, or by a scheduled task. Written by hourglass profiles vpnv2.\n"
      "#Requires -Version 5.1\n"
      "$ErrorActionPreference = 'Stop'\n\n"
      "$instance = '",
      PercentEncoded(name),
      "'\n"
      "$profileXml = @'\n",
      absl::StripTrailingAsciiWhitespace(xml),
      "\n'@\n\n"
      "$namespace = 'root\\cimv2\\mdm\\dmmap'\n"
      "$class = 'MDM_VPNv2_01'\n"
      "$session = New-CimSession\n"
      "$options = New-Object Microsoft.Management.Infrastructure.Options.CimOperationOptions\n",
      is_device_tunnel ? "" : kUserContext, kInstall);
}

}  // namespace hourglass::profiles
