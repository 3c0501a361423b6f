# For RRAS that checks certificates by itself in IKEv2 (machine certificates), without NPS; as an administrator. -Undo puts back what was.
# RRAS takes one root: the primary, {{root_name}}. It cannot be rotated without a break: run it again with the kit of the new primary, just
# when that is promoted. Where you can, let NPS check certificates instead.
# With CertAuthFlags 4 (revocation enforced for IKEv2) certificates without a list are refused; leave it away.
param([switch]$Undo)
$ErrorActionPreference = 'Stop'
$saved = Join-Path $PSScriptRoot 'rras-before.json'
if ($Undo) {
    $before = Get-Content -Raw -LiteralPath $saved | ConvertFrom-Json
    $arguments = @{ UserAuthProtocolAccepted = @($before.Protocols) }
    if ($before.Root) {
        $raw = [Convert]::FromBase64String($before.Root)
        $arguments.RootCertificateNameToAccept = New-Object Security.Cryptography.X509Certificates.X509Certificate2 (, [byte[]]$raw)
    }
    if ($before.Purposes) { $arguments.CertificateEKUsToAccept = @($before.Purposes) }
    # Root and purposes that were not set before stay, and count for nothing where Certificate is not accepted.
    Set-VpnAuthProtocol @arguments -PassThru
}
else {
    $now = Get-VpnAuthProtocol
    if (-not (Test-Path -LiteralPath $saved)) {
        $root = ''
        if ($now.RootCertificateNameToAccept) { $root = [Convert]::ToBase64String($now.RootCertificateNameToAccept.RawData) }
        @{ Protocols = @($now.UserAuthProtocolAccepted); Root = $root; Purposes = @($now.CertificateEKUsToAccept) } |
            ConvertTo-Json | Set-Content -Encoding UTF8 -LiteralPath $saved
    }
    $file = Join-Path $PSScriptRoot 'roots\{{root_file}}'
    $certificate = New-Object Security.Cryptography.X509Certificates.X509Certificate2 $file
    Set-VpnAuthProtocol -UserAuthProtocolAccepted EAP, Certificate -RootCertificateNameToAccept $certificate -CertificateEKUsToAccept '1.3.6.1.4.1.311.87' -PassThru
}
Restart-Service -Name RemoteAccess -Force
