package io.jenkins.plugins.sandbox;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.is;
import static org.hamcrest.Matchers.not;

import org.htmlunit.html.DomElement;
import org.htmlunit.html.HtmlPage;

/** What holds for all of our pages. */
public final class Pages {
    private Pages() {}

    /** As https://www.jenkins.io/doc/developer/security/csp/ asks for. */
    public static void assertNothingInline(HtmlPage page) {
        for (DomElement element : page.getElementById("main-panel").getDomElementDescendants()) {
            // What core's own tags bring comes from files.
            boolean inlineScript = element.getTagName().equals("script") && !element.hasAttribute("src");
            assertThat(element.asXml(), inlineScript, is(false));
            assertThat(element.getTagName(), not(is("style")));
            element.getAttributesMap().keySet().forEach(name -> {
                assertThat(element.asXml(), name.startsWith("on"), is(false));
                assertThat(element.asXml(), name, not(is("style")));
            });
        }
    }
}
