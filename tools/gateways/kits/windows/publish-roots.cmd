@echo off
rem The roots of tenant {{tenant}} into the forest, as an Enterprise Admin. RootCA: the domain trusts them. NTAuthCA: their certificates
rem may log users on, which NPS demands (KB 814394). Running it again does no harm. Afterwards: gpupdate /force on NPS and RRAS.
cd /d "%~dp0"
{{lines}}echo Done: see pkiview.msc, Manage AD Containers, NTAuthCertificates and Certification Authorities.
