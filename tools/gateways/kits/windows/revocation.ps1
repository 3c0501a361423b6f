# What revocation.reg does, with a look at what else is set; -Undo takes it back. On each NPS server, as an administrator.
# IgnoreNoRevocationCheck lets in a certificate whose revocation cannot be looked up, as the tenant's, which live for an hour and name no
# list; one that is known to be revoked is still refused. NoRevocationCheck would switch the look-up off for every authority.
param([switch]$Undo)
$ErrorActionPreference = 'Stop'
$key = 'HKLM:\SYSTEM\CurrentControlSet\Services\RasMan\PPP\EAP\13'
if ($Undo) {
    Remove-ItemProperty -Path $key -Name IgnoreNoRevocationCheck -ErrorAction SilentlyContinue
}
else {
    New-ItemProperty -Path $key -Name IgnoreNoRevocationCheck -PropertyType DWORD -Value 1 -Force | Out-Null
}
$others = Get-ItemProperty -Path $key -Name NoRevocationCheck -ErrorAction SilentlyContinue
if ($others -and $others.NoRevocationCheck -eq 1) {
    Write-Warning 'NoRevocationCheck is 1 here: no certificate of any authority is looked up. IgnoreNoRevocationCheck alone is enough.'
}
Write-Output 'Reboot this server: restarting its services is not enough.'
