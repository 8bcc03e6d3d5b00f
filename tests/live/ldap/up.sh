#!/usr/bin/env bash
# Bring up a real OpenLDAP on this machine's loopback with people and groups like FutureSystems'; again is no harm.
#
#   CLOUDMESH_LIVE_DIR        where it lives (/var/tmp/cloudmesh-live); it writes ldap/directory.toml there
#   CLOUDMESH_LIVE_PORT_BASE  added to the usual ports (21000: ldap at 21389, ldaps at 21636)
#
# Needs Debian or Ubuntu; root only to install slapd and ldap-utils where they are missing. See docs/howto/ldap.md.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/where.sh"
root=dc=futuresystems,dc=org
many=${CLOUDMESH_LIVE_LDAP_PEOPLE:-600}  # more than one page of a search, and than what slapd answers unasked

debian_packages() {
    [ -x /usr/sbin/slapd ] && command -v ldapadd openssl >/dev/null && return
    [ "$(id -u)" = 0 ] || fail "run as root once: apt-get install --no-install-recommends slapd ldap-utils openssl"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends slapd ldap-utils openssl
}

authority() {  # NAME: a certificate authority of its own
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=$1" -keyout "$state/tls/$1.key" \
        -out "$state/tls/$1.crt" 2>/dev/null
}

certificates() {
    [ -s "$state/tls/server.crt" ] && return
    authority ca && authority stranger
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$state/tls/server.key" \
        -out "$state/tls/server.csr" 2>/dev/null
    openssl x509 -req -in "$state/tls/server.csr" -CA "$state/tls/ca.crt" -CAkey "$state/tls/ca.key" -CAcreateserial \
        -days 3650 -out "$state/tls/server.crt" -extfile <(echo subjectAltName=DNS:localhost) 2>/dev/null
}

crowd() {
    local n
    for n in $(seq 1 "$many"); do
        printf 'dn: uid=crowd%04d,ou=People,%s\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\n' "$n" $root
        printf 'uid: crowd%04d\ncn: Crowd %d\nsn: Crowd\nmail: crowd%04d@example.org\n' "$n" "$n" "$n"
        printf 'uidNumber: %d\ngidNumber: %d\nhomeDirectory: /home/crowd%04d\n\n' $((30000 + n)) $((30000 + n)) "$n"
    done
}

debian_packages
running slapd && { echo "runs already: $state/directory.toml"; exit 0; }
mkdir -p "$state"/{tls,log,run}
rm -rf "$state/db" && mkdir "$state/db"
certificates
cp /usr/sbin/slapd "$state/slapd"  # where no AppArmor profile forbids it the folder
sed "s|@state@|$state|g" "$here/slapd.conf" >"$state/slapd.conf"
crowd | cat "$here/people.ldif" - >"$state/people.ldif"
"$state/slapd" -T add -q -f "$state/slapd.conf" -l "$state/people.ldif" >"$state/log/add.log" 2>&1 ||
    fail "$(tail -n 3 "$state/log/add.log")"
start slapd "$state/slapd" -d stats -f "$state/slapd.conf" -h "ldap://$host:$ldap_port/ ldaps://$host:$ldaps_port/"
await slapd listening $ldaps_port
# Through the server, whose overlay then writes memberOf.
ldapadd -x -H ldap://$host:$ldap_port -D cn=admin,$root -w adminpw -f "$here/groups.ldif" >>"$state/log/add.log" 2>&1 ||
    fail "$(tail -n 3 "$state/log/add.log")"
(umask 077 && echo portalpw >"$state/bind-password")
sed "s|@ldap@|localhost:$ldap_port|; s|@ldaps@|localhost:$ldaps_port|" "$here/directory.toml" >"$state/directory.toml"
say "OpenLDAP with $many people and some: $state/directory.toml"
