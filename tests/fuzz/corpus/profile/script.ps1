$ProfileXML = @'
<VPNProfile><Route><Address>10.0.0.1</Address><PrefixSize>8</PrefixSize></Route></VPNProfile>
'@
