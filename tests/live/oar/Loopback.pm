# OAR's server has no setting for the address it listens on: with this module it is this machine's own, not everybody's.
package Loopback;
use strict;
use warnings;
use IO::Socket::INET;

my $configure = \&IO::Socket::INET::configure;
no warnings 'redefine';
*IO::Socket::INET::configure = sub {
    my ($socket, $wish) = @_;
    $wish->{LocalAddr} ||= '127.0.0.1' if $wish->{Listen};
    return $configure->($socket, $wish);
};
1;
