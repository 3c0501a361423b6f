// Java's own validation of certification paths (PKIX) of one certificate under one root, with what it does about revocation.
// Arguments: MODE ROOT LEAF [LIST], PEM files, three or four words a time; a line for each: `MODE accepted`, or `MODE` and why not.
//   default: as new PKIXParameters() is; list: with this revocation list; off: setRevocationEnabled(false), which concerns only
//   the roots that these parameters trust.
import java.io.FileInputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;

public class PkixCheck {
  private static final CertificateFactory FACTORY = factory();

  private static CertificateFactory factory() {
    try {
      return CertificateFactory.getInstance("X.509");
    } catch (java.security.cert.CertificateException e) {
      throw new IllegalStateException(e);
    }
  }

  private static X509Certificate read(String file) throws Exception {
    try (FileInputStream in = new FileInputStream(file)) {
      return (X509Certificate) FACTORY.generateCertificate(in);
    }
  }

  private static String check(String mode, String root, String leaf, String list) throws Exception {
    PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(read(root), null)));
    if (mode.equals("off")) parameters.setRevocationEnabled(false);
    if (mode.startsWith("list")) {
      try (FileInputStream in = new FileInputStream(list)) {
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(List.of(FACTORY.generateCRL(in)))));
      }
    }
    CertPath path = FACTORY.generateCertPath(List.of(read(leaf)));
    try {
      CertPathValidator.getInstance("PKIX").validate(path, parameters);
      return "accepted";
    } catch (CertPathValidatorException e) {
      return e.getMessage();
    }
  }

  public static void main(String[] arguments) throws Exception {
    for (int i = 0; i < arguments.length; i += 4) {
      System.out.println(arguments[i] + " " + check(arguments[i], arguments[i + 1], arguments[i + 2], arguments[i + 3]));
    }
  }
}
