# What nginx cannot see of a certificate by itself. Loaded by hourglass.conf.
package hourglass;

use strict;
use warnings;
use Net::SSLeay;

my $CONDITIONAL_ACCESS = '1.3.6.1.4.1.311.87';
my $OTHER_NAME = 0;    # GEN_OTHERNAME of OpenSSL

# The user principal name of the client's certificate, where nginx has verified it and it has conditional access; else ''.
sub user {
    my ($request) = @_;
    return '' unless ($request->variable('ssl_client_verify') // '') eq 'SUCCESS';
    my $bio = Net::SSLeay::BIO_new(Net::SSLeay::BIO_s_mem()) or return '';
    Net::SSLeay::BIO_write($bio, $request->variable('ssl_client_raw_cert') // '');
    my $certificate = Net::SSLeay::PEM_read_bio_X509($bio);
    Net::SSLeay::BIO_free($bio);
    return '' unless $certificate;

    # 0: as dotted numbers, so that whole purposes are compared.
    my @purposes = Net::SSLeay::P_X509_get_ext_key_usage($certificate, 0);
    my @names = Net::SSLeay::X509_get_subjectAltNames($certificate);
    Net::SSLeay::X509_free($certificate);
    return '' unless grep { ($_ // '') eq $CONDITIONAL_ACCESS } @purposes;
    while (my ($type, $name) = splice @names, 0, 2) {
        return $name if $type == $OTHER_NAME;
    }
    return '';
}

1;
