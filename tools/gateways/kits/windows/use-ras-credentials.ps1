# On a client that is joined to Entra ID and to no domain of its own, as the user, after the VPN profile is there: Windows must not offer
# the certificate of the VPN to servers behind it. -Undo puts the default back. From Windows 11 24H2 on the profile can say so itself.
param([switch]$Undo, [string]$ConnectionName = {{connection_name}})
$ErrorActionPreference = 'Stop'
$book = Join-Path $env:APPDATA 'Microsoft\Network\Connections\Pbk\rasphone.pbk'
$value = if ($Undo) { 'UseRasCredentials=1' } else { 'UseRasCredentials=0' }
# Octet for octet: Latin-1 changes none, whatever the encoding of the file is.
$octets = [Text.Encoding]::GetEncoding(28591)
$sections = @([Text.Encoding]::UTF8, [Text.Encoding]::Default) |
    ForEach-Object { '[' + $octets.GetString($_.GetBytes($ConnectionName)) + ']' }
$inside = $false
$changed = 0
$lines = [IO.File]::ReadAllText($book, $octets) -split "`r`n" | ForEach-Object {
    if ($_.StartsWith('[')) { $inside = $sections -contains $_ }
    if ($inside -and $_ -match '^UseRasCredentials=') { $changed++; $value } else { $_ }
}
if ($changed -ne 1) { throw "no connection '$ConnectionName' with UseRasCredentials in $book" }
Copy-Item -LiteralPath $book -Destination "$book.before" -Force
[IO.File]::WriteAllText($book, ($lines -join "`r`n"), $octets)
