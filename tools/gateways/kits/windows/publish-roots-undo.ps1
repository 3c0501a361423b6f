# Undoes publish-roots.cmd, as an Enterprise Admin: certutil shows what each place in the directory holds, and removes what you choose.
# Choose these thumbprints and nothing else:
{{thumbprints}}# The same without a command line: pkiview.msc, Manage AD Containers, and in NTAuthCertificates, Certification Authorities and AIA: Remove.
# A root that is removed while it signs locks everybody out.
$ErrorActionPreference = 'Stop'
$configuration = ([ADSI]'LDAP://RootDSE').configurationNamingContext
$services = "CN=Public Key Services,CN=Services,$configuration"
certutil -viewdelstore "ldap:///CN=NTAuthCertificates,${services}?cACertificate?base?objectClass=certificationAuthority"
certutil -viewdelstore "ldap:///CN=Certification Authorities,${services}?cACertificate?one?objectClass=certificationAuthority"
certutil -viewdelstore "ldap:///CN=AIA,${services}?cACertificate?one?objectClass=certificationAuthority"
Write-Output 'Now gpupdate /force on NPS and RRAS: their copies of these stores follow.'
